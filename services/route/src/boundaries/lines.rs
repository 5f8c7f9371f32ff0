//! On which line of a GeoJSON text each of its features begins: where whoever has to correct one by hand finds it.

/// The line, counted from 1, on which feature number `feature`, counted from 1, of a collection begins. The text is JSON.
pub(crate) fn line_of(text: &str, feature: usize) -> Option<usize> {
    let (mut line, mut depth, mut features) = (1, 0_usize, 0);
    // Where the string that is open begins, whether its next character is escaped, and the string before it.
    let (mut open, mut escaped, mut last) = (None, false, "");
    let (mut among, mut begins) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        if let Some(begin) = open {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => (open, last) = (None, text.get(begin..at).unwrap_or_default()),
                _ => {}
            }
            continue;
        }
        if begins && !byte.is_ascii_whitespace() && byte != b']' {
            (begins, features) = (false, features + 1);
            if features == feature {
                return Some(line);
            }
        }
        match byte {
            b'\n' => line += 1,
            b'"' => open = Some(at + 1),
            b'[' | b'{' => {
                // A list of the whole text's own, under this name.
                if depth == 1 && byte == b'[' && last == "features" {
                    (among, begins) = (true, true);
                }
                depth += 1;
            }
            b']' | b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 1 && among {
                    return None;
                }
            }
            b',' if among && depth == 2 => begins = true,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_feature_begins_on_a_line_however_the_file_is_laid_out() {
        let laid_out = "{\n  \"type\": \"FeatureCollection\",\n  \"name\": \"features\",\n  \"crs\": [{\"a\": [1, 2]}],\n  \
                        \"features\": [\n    { \"properties\": {\"features\": [1,\n 2], \"said\": \"a \\\" ] } ,\"} },\n\n    \
                        {\n      \"properties\": {}\n    }, {}\n  ]\n}";
        assert_eq!(
            [1, 2, 3, 4].map(|feature| line_of(laid_out, feature)),
            [Some(6), Some(9), Some(11), None]
        );
        let compact = "\u{feff}{\"features\":[{\"网格\":\"一\"},7],\"type\":\"FeatureCollection\"}";
        assert_eq!([1, 2, 3].map(|feature| line_of(compact, feature)), [Some(1), Some(1), None]);
        for none in
            ["", "[]", "{}", "{\"features\": []}", "{\"features\": {}}", "{\"a\": {\"features\": [1]}}"]
        {
            assert_eq!(line_of(none, 1), None, "{none}");
        }
    }
}
