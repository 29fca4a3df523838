//! Lines that stay in one row of the terminal: one that wraps takes two, and is not wiped whole.

use std::str::Chars;

/// What turns all colours off.
const RESET: &str = "\x1b[0m";

/// The line, cut to `columns` columns. Colours take none, and end where the line is cut.
pub(crate) fn fit(line: String, columns: usize) -> String {
    // What is short in bytes is so in columns.
    if line.len() <= columns {
        return line;
    }
    let mut fitting = String::with_capacity(line.len());
    let (mut used, mut coloured) = (0, false);
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\x1b' {
            coloured = true;
            fitting.push(c);
            sequence(&mut chars, &mut fitting);
        } else if used < columns {
            used += 1;
            fitting.push(c);
        } else {
            if coloured {
                fitting.push_str(RESET);
            }
            return fitting;
        }
    }
    fitting
}

/// Copies the rest of an escape sequence, which a letter ends.
fn sequence(chars: &mut Chars<'_>, into: &mut String) {
    for c in chars.by_ref() {
        into.push(c);
        if c.is_ascii_alphabetic() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_stays() {
        for line in ["", "12345", "• ✓ ↓", "\x1b[32m✓\x1b[0m 345"] {
            assert_eq!(fit(line.to_owned(), 5), line);
        }
    }

    #[test]
    fn the_rest_is_cut() {
        assert_eq!(fit("123456".to_owned(), 5), "12345");
        assert_eq!(fit("•••••6".to_owned(), 5), "•••••");
        assert_eq!(fit("123456".to_owned(), 0), "");
    }

    #[test]
    fn colours_take_no_room_and_end_with_the_line() {
        assert_eq!(fit("\x1b[32m✓\x1b[0m 3456".to_owned(), 5), "\x1b[32m✓\x1b[0m 345\x1b[0m");
        assert_eq!(fit("[==\x1b[2m----\x1b[22m]".to_owned(), 5), "[==\x1b[2m--\x1b[0m");
    }
}
