//! The program's own reads and writes beside the services'.
