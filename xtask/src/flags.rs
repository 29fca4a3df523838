//! Flags of the tasks: `--name value` and `--name=value`, nothing more.

use std::str::FromStr;

use anyhow::{Context as _, Result, bail};

/// What was given on the command line.
#[derive(Debug, Default)]
pub(crate) struct Flags {
    given: Vec<(String, String)>,
}

impl Flags {
    /// Reads the arguments; `known` are the names allowed.
    pub(crate) fn parse(args: &[String], known: &[&str]) -> Result<Flags> {
        let mut given = Vec::new();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let Some(flag) = arg.strip_prefix("--") else { bail!("unexpected argument {arg}") };
            let (name, value) = match flag.split_once('=') {
                Some((name, value)) => (name, value.to_owned()),
                None => (flag, args.next().with_context(|| format!("--{flag} needs a value"))?.clone()),
            };
            if !known.contains(&name) {
                bail!("unknown flag --{name}");
            }
            given.push((name.to_owned(), value));
        }
        Ok(Flags { given })
    }

    /// All values of a flag.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.given.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The last value of a flag.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.given.iter().rfind(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The last value of a flag, as a number.
    pub(crate) fn number<T: FromStr>(&self, name: &str) -> Result<Option<T>> {
        let parse =
            |value: &str| value.parse().ok().with_context(|| format!("--{name}: not a number: {value}"));
        self.text(name).map(parse).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Flags> {
        let args = args.iter().map(|&arg| arg.to_owned()).collect::<Vec<_>>();
        Flags::parse(&args, &["jobs", "only"])
    }

    #[test]
    fn reads_both_forms() {
        let flags = parse(&["--jobs", "2", "--only=a", "--only", "b", "--jobs=3"]).unwrap();
        assert_eq!(flags.number::<u32>("jobs").unwrap(), Some(3));
        assert_eq!(flags.all("only").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(flags.text("out"), None);
    }

    #[test]
    fn names_what_is_wrong() {
        for (args, message) in [
            (&["x"][..], "unexpected argument x"),
            (&["--jobs"][..], "--jobs needs a value"),
            (&["--nope=1"][..], "unknown flag --nope"),
        ] {
            assert_eq!(parse(args).unwrap_err().to_string(), message);
        }
        let flags = parse(&["--jobs=two"]).unwrap();
        assert_eq!(flags.number::<u32>("jobs").unwrap_err().to_string(), "--jobs: not a number: two");
    }
}
