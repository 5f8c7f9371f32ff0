//! In which encoding a recorded file is, and reading it as UTF-8.
//!
//! Nothing is guessed: nearly every file in Big5 reads as some text in GB18030, and the other way round. A file is read
//! as UTF-8, or as the pack says, and strictly. One that is plainly neither is refused before its first row, with the
//! encodings it could be and how each would read it; a single row that is not what the file is, is refused by itself.

use std::io::{Read, Result};

use domain::text::Text;
use encoding_rs::{Decoder, DecoderResult};
use platform::pack::Encoding;

/// So much of a file is looked at before its first row is read.
pub const SAMPLE: usize = 64 * 1024;

/// What stands in UTF-8 for bytes that mean nothing: itself no UTF-8, so that the row is refused.
const NOTHING: u8 = 0xff;

/// The encoding to read a file in whose first bytes are `sample`, given what the pack says. Pure.
///
/// # Errors
/// What the file is instead, and what to write into the pack.
pub fn judge(said: Option<Encoding>, sample: &[u8]) -> std::result::Result<Encoding, Text> {
    if sample.starts_with(&[0xff, 0xfe]) || sample.starts_with(&[0xfe, 0xff]) {
        return Err(Text::new(
            "是 UTF-16 编码，不能读取；请另存为 UTF-8",
            "is UTF-16, which is not read: save it as UTF-8",
        ));
    }
    let taken = said.unwrap_or(Encoding::Utf8);
    // No text at all; whoever reads the header says so.
    if sample.contains(&0) {
        return Ok(taken);
    }
    let lines = lines(sample);
    let telling: Vec<&[u8]> = lines.iter().copied().filter(|line| !line.is_ascii()).collect();
    if taken != Encoding::Utf8
        && !telling.is_empty()
        && telling.iter().all(|line| reads(Encoding::Utf8, line))
    {
        return Err(is_utf8(taken));
    }
    let header = lines.first().is_none_or(|header| reads(taken, header));
    let none_reads = telling.len() > 1 && !telling.iter().any(|line| reads(taken, line));
    if header && !none_reads {
        return Ok(taken);
    }
    Err(not(taken, &telling))
}

/// The whole lines of a sample; the last one is whole only where there is no other.
fn lines(sample: &[u8]) -> Vec<&[u8]> {
    let mut lines: Vec<&[u8]> = sample.split(|byte| *byte == b'\n').collect();
    if lines.len() > 1 {
        lines.pop();
    }
    lines
}

fn reads(encoding: Encoding, line: &[u8]) -> bool {
    text(encoding, line).is_some()
}

/// A line as that encoding has it, if each of its bytes means something there.
fn text(encoding: Encoding, line: &[u8]) -> Option<String> {
    let decoded = known(encoding).decode_without_bom_handling_and_without_replacement(line)?;
    Some(decoded.into_owned())
}

fn known(encoding: Encoding) -> &'static encoding_rs::Encoding {
    match encoding {
        Encoding::Utf8 => encoding_rs::UTF_8,
        Encoding::Gb18030 => encoding_rs::GB18030,
        Encoding::Big5 => encoding_rs::BIG5,
    }
}

fn is_utf8(said: Encoding) -> Text {
    let said = said.as_str();
    Text::new(
        format!("是 UTF-8 编码，而辖区包写明 {said}；请在 pack.json 中删去 recorded.encoding"),
        format!("is UTF-8, but the pack says {said}: take recorded.encoding out of its pack.json"),
    )
}

fn not(taken: Encoding, telling: &[&[u8]]) -> Text {
    let others = Encoding::ALL.into_iter().filter(|other| *other != taken);
    let could: Vec<String> = others.filter_map(|other| as_read(other, telling)).collect();
    let taken = taken.as_str();
    if could.is_empty() {
        return Text::new(
            format!("不是 {taken} 编码，也不是 UTF-8、GB18030 或 Big5；请另存为 UTF-8"),
            format!("is not {taken}, nor any other of UTF-8, GB18030 and Big5: save it as UTF-8"),
        );
    }
    let could = could.join("; ");
    Text::new(
        format!(
            "不是 {taken} 编码；可能是 {could}。请选读得通的一种，在 pack.json 中写入 \"recorded\": {{\"encoding\": …}}"
        ),
        format!(
            "is not {taken}; it could be {could}. Take the one that makes sense, and write it into pack.json: \
             \"recorded\": {{\"encoding\": …}}"
        ),
    )
}

/// `Big5 (「大安區」)`, if all the lines that tell are of that encoding.
fn as_read(encoding: Encoding, telling: &[&[u8]]) -> Option<String> {
    let texts: Option<Vec<String>> = telling.iter().map(|line| text(encoding, line)).collect();
    let texts = texts?;
    let word: String =
        texts.first()?.chars().skip_while(char::is_ascii).take_while(|c| !c.is_ascii()).take(12).collect();
    Some(format!("{} (「{word}」)", encoding.as_str()))
}

/// Bytes of another encoding, read as UTF-8.
pub struct Decoded<R> {
    inner: R,
    decoder: Decoder,
    /// Bytes that were read and not yet decoded.
    raw: Vec<u8>,
    at: usize,
    /// What was decoded and not yet given out.
    ready: Vec<u8>,
    given: usize,
    ended: bool,
}

impl<R: Read> Decoded<R> {
    pub fn new(inner: R, encoding: Encoding) -> Self {
        let decoder = known(encoding).new_decoder_without_bom_handling();
        Self { inner, decoder, raw: Vec::new(), at: 0, ready: Vec::new(), given: 0, ended: false }
    }

    /// Reads on, and decodes what there is.
    fn fill(&mut self) -> Result<()> {
        self.raw.resize(16 * 1024, 0);
        let read = self.inner.read(&mut self.raw)?;
        self.raw.truncate(read);
        self.at = 0;
        let last = read == 0;
        self.ready.clear();
        self.given = 0;
        loop {
            let length = self.ready.len();
            let room = self.decoder.max_utf8_buffer_length_without_replacement(self.raw.len() - self.at);
            self.ready.resize(length + room.unwrap_or(SAMPLE), 0);
            let (outcome, read, written) = self.decoder.decode_to_utf8_without_replacement(
                &self.raw[self.at..],
                &mut self.ready[length..],
                last,
            );
            self.at += read;
            self.ready.truncate(length + written);
            match outcome {
                DecoderResult::InputEmpty => break,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => self.ready.push(NOTHING),
            }
        }
        self.ended = last;
        Ok(())
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        while self.given == self.ready.len() && !self.ended {
            self.fill()?;
        }
        let left = &self.ready[self.given..];
        let given = left.len().min(buffer.len());
        buffer[..given].copy_from_slice(&left[..given]);
        self.given += given;
        Ok(given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &str = "編號,行政區\n1,大安區\n2,中正區\n";
    const SIMPLE: &str = "编号,社区\n1,老坑社区\n2,六和社区\n";

    fn bytes(encoding: Encoding, text: &str) -> Vec<u8> {
        let (bytes, _, wrong) = known(encoding).encode(text);
        assert!(!wrong);
        bytes.into_owned()
    }

    fn decoded(encoding: Encoding, bytes: &[u8]) -> Vec<u8> {
        let mut all = Vec::new();
        Decoded::new(bytes, encoding).read_to_end(&mut all).unwrap();
        all
    }

    #[test]
    fn utf8_is_taken_with_and_without_a_mark_and_so_is_what_the_pack_says() {
        assert_eq!(judge(None, ROWS.as_bytes()), Ok(Encoding::Utf8));
        assert_eq!(judge(Some(Encoding::Utf8), format!("\u{feff}{ROWS}").as_bytes()), Ok(Encoding::Utf8));
        for (encoding, text) in [(Encoding::Big5, ROWS), (Encoding::Gb18030, SIMPLE)] {
            assert_eq!(judge(Some(encoding), &bytes(encoding, text)), Ok(encoding));
        }
        assert_eq!(judge(Some(Encoding::Big5), b"id,opened\n1,2\n"), Ok(Encoding::Big5));
    }

    #[test]
    fn another_encoding_is_named_and_never_guessed() {
        let said = judge(None, &bytes(Encoding::Big5, ROWS)).unwrap_err();
        assert!(
            said.en.starts_with("is not UTF-8; it could be ") && said.en.contains("Big5 (「編號」)"),
            "{said}"
        );
        let said = judge(None, &bytes(Encoding::Gb18030, SIMPLE)).unwrap_err();
        assert!(said.en.contains("GB18030 (「编号」)") && said.zh.contains("不是 UTF-8 编码"), "{said}");
        let said = judge(Some(Encoding::Big5), SIMPLE.as_bytes()).unwrap_err();
        assert!(said.en.contains("is UTF-8, but the pack says Big5"), "{said}");
        let said = judge(None, &[0xff, 0xfe, b'i', 0]).unwrap_err();
        assert!(said.en.contains("UTF-16"), "{said}");
    }

    #[test]
    fn one_odd_row_does_not_make_the_file_another() {
        let odd = [ROWS.as_bytes(), b"3,\xff\n4,x\n"].concat();
        assert_eq!(judge(None, &odd), Ok(Encoding::Utf8));
        assert_eq!(judge(None, b"id,area\n1,a\n2,\xff\n3,b\n"), Ok(Encoding::Utf8));
        assert!(judge(None, b"id,area\n1,\xff\n2,\xff\n3,b\n").is_err());
    }

    #[test]
    fn a_file_of_any_length_is_decoded_whole() {
        for (encoding, text) in [(Encoding::Big5, ROWS), (Encoding::Gb18030, SIMPLE)] {
            let long = text.repeat(5_000);
            assert_eq!(decoded(encoding, &bytes(encoding, &long)), long.as_bytes());
        }
    }

    #[test]
    fn bytes_that_mean_nothing_cost_no_comma_and_no_line_end() {
        let odd = [bytes(Encoding::Big5, "大"), b"\xa4,\xff\n1".to_vec()].concat();
        assert_eq!(decoded(Encoding::Big5, &odd), ["大".as_bytes(), b"\xff,\xff\n1"].concat());
        assert_eq!(decoded(Encoding::Big5, b"1,\xa4"), b"1,\xff");
    }
}
