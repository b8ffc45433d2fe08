//! `docs/config.toml`: made from the settings themselves.

use std::fmt::Write as _;

use super::{
    Config,
    setting::{Section, Setting},
};

const HEAD: &str = "\
# Magpie's configuration. An empty file is valid: this is what holds then.
# The environment wins over this file, flags win over both.
#
# Lines that begin with \"#:\" are settings with their defaults, or with an
# example where nothing is set by default; take the mark away to set one.
# With each stands its environment variable, and its flag where it has one of
# its own; any other is --set NAME=VALUE. What says SIGHUP is applied without a
# restart by `kill -HUP`. A secret may stand in a file of its own instead, named
# by the same setting with _file (in the environment: _FILE) at its end.
#
# `magpie config --check` looks at what you wrote. Made by `make gen`.
";

/// The documented file, with every setting commented out.
pub fn document() -> String {
    let mut out = HEAD.to_owned();
    for section in Config::sections() {
        if !section.name.is_empty() {
            out.push('\n');
            for line in section.about {
                let _ = writeln!(out, "# {}", line.trim());
            }
            let _ = writeln!(out, "#: [{}]", section.name);
        }
        for setting in section.settings {
            out.push('\n');
            entry(&mut out, setting);
        }
    }
    out
}

fn entry(out: &mut String, setting: &Setting) {
    for line in setting.doc {
        let _ = writeln!(out, "# {}", line.trim());
    }
    let mut notes = vec![setting.env()];
    notes.extend(setting.flag());
    if !setting.has_default {
        notes.push("not set by default".into());
    }
    if setting.secret {
        notes.push("secret".into());
    }
    if setting.live() {
        notes.push("SIGHUP".into());
    }
    let _ = writeln!(out, "# ({})", notes.join(", "));
    let _ = writeln!(out, "#: {} = {}", setting.key, setting.shown);
}
