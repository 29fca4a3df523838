//! What a row of the [table of options](super::table) is made of, and the macro that makes the table.

use clap::{Arg, ArgAction};
use serde_json::Value;

use super::form::Takes;
use super::table::Layer;

/// Which commands take an option, and which sources may set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Flags of every command: how the tool itself behaves.
    Global,
    /// What a script's `options` can say, too.
    Test,
    /// How a script is read and its results shown; needed before there are any `options`.
    Runtime,
    /// Of `ws run` alone.
    Run,
}

/// Under which title `--help` shows a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heading {
    Load,
    Script,
    Connections,
    Http,
    Results,
    Global,
}

impl Heading {
    /// As it is printed.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Load => "What runs",
            Self::Script => "The script and its surroundings",
            Self::Connections => "Connections",
            Self::Http => "HTTP",
            Self::Results => "Results",
            Self::Global => "Flags of all commands",
        }
    }
}

/// A flag's names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flag {
    /// Without the dashes.
    pub(crate) long: &'static str,
    pub(crate) letter: Option<char>,
    /// What the help calls its value.
    pub(crate) value: &'static str,
}

/// How an option is called in each of the places where it can be set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names {
    pub(crate) scope: Scope,
    pub(crate) heading: Heading,
    pub(crate) flag: Option<Flag>,
    /// Of the environment.
    pub(crate) variable: Option<&'static str>,
    /// Of JSON: of a configuration file, and of a script's `options` if the scope is [`Scope::Test`].
    pub(crate) key: Option<&'static str>,
}

/// An option that has no names yet.
pub(super) const fn of(scope: Scope, heading: Heading) -> Names {
    Names { scope, heading, flag: None, variable: None, key: None }
}

impl Names {
    /// `--long`, whose value the help calls `value`.
    pub(super) const fn flag(self, long: &'static str, value: &'static str) -> Self {
        Self { flag: Some(Flag { long, letter: None, value }), ..self }
    }

    /// A flag that needs no value.
    pub(super) const fn switch(self, long: &'static str) -> Self {
        self.flag(long, "BOOL")
    }

    /// The flag's short name.
    pub(super) const fn letter(self, letter: char) -> Self {
        match self.flag {
            Some(flag) => Self { flag: Some(Flag { letter: Some(letter), ..flag }), ..self },
            None => panic!("a letter belongs to a flag"),
        }
    }

    pub(super) const fn variable(self, name: &'static str) -> Self {
        Self { variable: Some(name), ..self }
    }

    pub(super) const fn key(self, name: &'static str) -> Self {
        Self { key: Some(name), ..self }
    }
}

/// One option: its names, and how it gets from there into a [`Layer`].
///
/// The three functions fail with what is wrong with the value, without the option's name.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    pub(crate) names: Names,
    /// What `--help` says.
    pub(crate) help: &'static str,
    pub(super) takes: Takes,
    /// Whether a refusal says by itself what it is about, as `invalid DNS TTL: x` does.
    pub(super) speaks: bool,
    /// All values of a flag, in order.
    pub(super) set_from_flag: fn(&mut Layer, &[&str]) -> Result<(), String>,
    pub(super) set_from_variable: fn(&mut Layer, &str) -> Result<(), String>,
    /// `null` says nothing.
    pub(super) set_from_json: fn(&mut Layer, &str, &Value) -> Result<(), String>,
}

impl Row {
    /// The flag for the command-line parser, if there is one. Values are taken as text and judged here, so that
    /// refusals are ours.
    pub(super) fn arg(&self) -> Option<Arg> {
        let flag = self.names.flag?;
        let help = match self.names.variable {
            Some(variable) => format!("{} [{variable}]", self.help.trim_start()),
            None => self.help.trim_start().to_owned(),
        };
        let arg = argument(flag, self.takes).help(help).help_heading(self.names.heading.title());
        Some(arg.global(self.names.scope == Scope::Global))
    }

    /// The flag as refusals call it: `-u, --vus`.
    pub(super) fn flag_name(&self) -> String {
        match self.names.flag {
            Some(Flag { long, letter: Some(letter), .. }) => format!("-{letter}, --{long}"),
            Some(Flag { long, .. }) => format!("--{long}"),
            None => String::new(),
        }
    }
}

/// A flag whose values are text. Its id is its long name.
pub(super) fn argument(flag: Flag, takes: Takes) -> Arg {
    let arg = Arg::new(flag.long).long(flag.long).value_name(flag.value);
    let arg = match flag.letter {
        Some(letter) => arg.short(letter),
        None => arg,
    };
    match takes {
        Takes::Nothing => arg.num_args(0..=1).require_equals(true).default_missing_value("true"),
        Takes::Maybe(usual) => arg.num_args(0..=1).require_equals(true).default_missing_value(usual),
        Takes::One => arg.allow_hyphen_values(true),
        Takes::Many => arg.allow_hyphen_values(true).action(ArgAction::Append),
    }
}

/// Makes [`Layer`], which has a field for each row, and the table `OPTIONS`.
///
/// A row is: help, field, type, [`Form`](super::form::Form), [`Names`].
macro_rules! options {
    ($( $(#[doc = $line:literal])+ $field:ident: $type:ty, $form:expr, $names:expr; )+) => {
        /// The options one source has set; `None` is "not mentioned".
        #[derive(Clone, Debug, Default, PartialEq)]
        pub(crate) struct Layer {
            $( $(#[doc = $line])+ pub(crate) $field: Option<$type>, )+
        }

        impl Layer {
            /// Lays another source on top: each option it mentions is replaced as a whole.
            pub(crate) fn put(&mut self, above: Self) {
                $( if above.$field.is_some() { self.$field = above.$field; } )+
            }
        }

        /// Every option there is.
        pub(crate) static OPTIONS: &[$crate::options::row::Row] = &[$({
            const FORM: $crate::options::form::Form<$type> = $form;
            $crate::options::row::Row {
                names: $names,
                help: concat!($($line),+),
                takes: FORM.takes,
                speaks: FORM.speaks,
                set_from_flag: |layer, values| {
                    layer.$field = FORM.read_flag(values)?;
                    Ok(())
                },
                set_from_variable: |layer, text| {
                    layer.$field = (FORM.text)(text)?;
                    Ok(())
                },
                set_from_json: |layer, name, value| {
                    layer.$field = (FORM.json)(name, value)?;
                    Ok(())
                },
            }
        }),+];
    };
}
pub(super) use options;
