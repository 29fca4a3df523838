//! One progress bar.

/// A bar is at most this wide, brackets included.
pub(crate) const BAR_COLUMNS: usize = 40;

/// Below this width a bar says less than a percentage.
const NARROWEST: usize = 8;

/// `[====>-----]`, or nothing if there is no room for it.
pub(crate) fn bar(progress: f64, width: usize, colours: bool) -> Option<String> {
    if width < NARROWEST {
        return None;
    }
    let inner = width - 2;
    let filled = ((inner as f64 * progress.clamp(0.0, 1.0)) as usize).min(inner);
    let head = if filled == 0 || filled == inner {
        "=".repeat(filled)
    } else {
        format!("{}>", "=".repeat(filled - 1))
    };
    let rest = "-".repeat(inner - filled);
    Some(if colours { format!("[{head}\x1b[2m{rest}\x1b[22m]") } else { format!("[{head}{rest}]") })
}

/// `[  35% ]`, rounded, except that 100 % means the end.
pub(crate) fn percent(progress: f64) -> String {
    let percent = (progress.clamp(0.0, 1.0) * 100.0).round() as u64;
    format!("[{:4}% ]", if progress < 1.0 { percent.min(99) } else { percent })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars() {
        for (progress, expected) in [
            (0.0, "[----------]"),
            (0.05, "[----------]"),
            (0.1, "[>---------]"),
            (0.55, "[====>-----]"),
            (0.99, "[========>-]"),
            (1.0, "[==========]"),
            (7.0, "[==========]"),
            (f64::NAN, "[----------]"),
        ] {
            assert_eq!(bar(progress, 12, false).as_deref(), Some(expected), "{progress}");
        }
        assert_eq!(bar(0.5, 7, false), None);
        assert_eq!(bar(0.5, 8, true).as_deref(), Some("[==>\x1b[2m---\x1b[22m]"));
    }

    #[test]
    fn percentages() {
        assert_eq!(percent(0.0), "[   0% ]");
        assert_eq!(percent(0.3499), "[  35% ]");
        assert_eq!(percent(0.999), "[  99% ]");
        assert_eq!(percent(1.0), "[ 100% ]");
    }
}
