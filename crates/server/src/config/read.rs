//! Where values come from: a file, over which the environment wins, over which
//! flags win. Every fault is kept, so that all are told at once.

use std::{collections::BTreeMap, env, fs, path::Path};

use toml::{Table, Value as Toml};

use super::{
    Config, Flags,
    setting::{Described, Section, Setting},
    value::{Check, Value},
};

/// A setting that was given: who gave it, and its value unless it is secret.
#[derive(Clone, Debug)]
pub struct Given {
    pub name: String,
    pub source: String,
    pub shown: String,
}

/// A configuration with what there is to tell about it.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub config: Config,
    pub given: Vec<Given>,
    /// What may be a slip, and is none of our business if it is not.
    pub hints: Vec<String>,
}

/// What was given, and what is wrong with it.
pub struct Reader<'a> {
    file: Table,
    env: &'a dyn Fn(&str) -> Option<String>,
    flags: BTreeMap<String, String>,
    pub(super) faults: Vec<String>,
    pub(super) given: Vec<Given>,
}

/// Variables of ours that are no settings of a server.
const OTHER_VARIABLES: [&str; 1] = ["MAGPIE_CONFIG"];

/// Reads everything there is.
pub fn load(flags: &Flags) -> Result<Loaded, Vec<String>> {
    let find = |name: &str| env::var(name).ok().filter(|v| !v.is_empty());
    let path = flags.config.clone().or_else(|| env::var_os("MAGPIE_CONFIG").filter(|p| !p.is_empty()).map(Into::into));
    let text = path.as_deref().map(|path| (path, fs::read_to_string(path).map_err(|e| e.to_string())));
    let names: Vec<_> = env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect();
    let mut loaded = merge(flags, text, &find)?;
    loaded.hints = strangers(&names);
    Ok(loaded)
}

/// The same, with file and environment given.
pub(super) fn merge(
    flags: &Flags,
    file: Option<(&Path, Result<String, String>)>,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Loaded, Vec<String>> {
    let mut faults = Vec::new();
    let mut table = Table::new();
    if let Some((path, text)) = file {
        match text.and_then(|text| toml::from_str(&text).map_err(|e: toml::de::Error| e.to_string())) {
            Ok(read) => table = read,
            Err(error) => faults.push(format!("{}: {}", path.display(), error.trim_end())),
        }
    }
    let sections = Config::sections();
    unknown(&table, &sections, &mut faults);
    let flags = flags.values(&sections, &mut faults);
    let mut reader = Reader { file: table, env, flags, faults, given: Vec::new() };
    let config = Config::read(&mut reader);
    config.rules(&mut reader);
    if reader.faults.is_empty() {
        Ok(Loaded { config, given: reader.given, hints: Vec::new() })
    } else {
        Err(reader.faults)
    }
}

/// One value with its source.
enum Raw {
    Toml(Toml),
    Text(String),
}

/// Variables of others that count where nothing of ours was given.
const STANDARD: [(&str, &str); 2] =
    [("telemetry.endpoint", "OTEL_EXPORTER_OTLP_ENDPOINT"), ("telemetry.headers", "OTEL_EXPORTER_OTLP_HEADERS")];

impl Reader<'_> {
    /// The value of a setting. A fault gives the default, so that the other
    /// faults are found too.
    pub(super) fn take<T: Value>(&mut self, setting: Option<&'static Setting>, checks: &[&Check<T::Checked>]) -> T {
        let setting = setting.expect("a table has as many settings as fields");
        let name = setting.name();
        if let Some((source, raw)) = self.find(setting) {
            let shown = match &raw {
                _ if setting.secret => "…".to_owned(),
                Raw::Toml(value) => value.to_string(),
                Raw::Text(text) => format!("{text:?}"),
            };
            let read = match &raw {
                Raw::Toml(value) => T::from_toml(value),
                Raw::Text(text) => T::from_text(text),
            };
            let checked = read.and_then(|value| {
                let looked = value.checked().map_or(Ok(()), |v| checks.iter().try_for_each(|check| check(v)));
                looked.map(|()| value)
            });
            self.given.push(Given { name: name.clone(), source: source.clone(), shown: shown.clone() });
            match checked {
                Ok(value) => return value,
                Err(error) if setting.secret => self.faults.push(format!("{name} ({source}): {error}")),
                Err(error) => self.faults.push(format!("{name} ({source}): {shown} {error}")),
            }
        }
        let default = || {
            let table: Table = toml::from_str(&format!("v = {}", setting.shown)).ok()?;
            T::from_toml(table.get("v")?).ok()
        };
        let value = if setting.has_default { default() } else { T::absent() };
        value.unwrap_or_else(|| panic!("{name} has neither a default nor leave to be absent"))
    }

    /// The strongest of the sources that give a value.
    fn find(&mut self, setting: &Setting) -> Option<(String, Raw)> {
        let (name, variable) = (setting.name(), setting.env());
        let in_file = self.given_in_file(setting);
        let variable_file = setting.secret.then(|| format!("{variable}_FILE"));
        let file = variable_file.as_ref().and_then(|v| (self.env)(v)).and_then(|path| {
            let source = variable_file.clone().unwrap_or_default();
            self.secret_file(&name, &source, &path).map(|text| (source, Raw::Text(text)))
        });
        let plain = (self.env)(&variable);
        let standard = || {
            let (_, variable) = STANDARD.iter().find(|(of, _)| *of == name)?;
            Some(((*variable).to_owned(), Raw::Text((self.env)(variable).filter(|text| !text.is_empty())?)))
        };
        let standard = standard();
        if let (Some((source, _)), Some(_)) = (&file, &plain) {
            self.faults.push(format!("{name}: {variable} and {source} are both there; give one"));
        }
        let from_env = plain.map(|text| (variable, Raw::Text(text))).or(file);
        let from_flag = self.flags.get(&name).map(|text| {
            let flag = setting.flag().unwrap_or_else(|| "--set".into());
            (flag, Raw::Text(text.clone()))
        });
        from_flag.or(from_env).or(in_file).or(standard)
    }

    fn given_in_file(&mut self, setting: &Setting) -> Option<(String, Raw)> {
        let table = match setting.section {
            "" => Some(&self.file),
            section => self.file.get(section).and_then(Toml::as_table),
        }?;
        let (name, file_key) = (setting.name(), format!("{}_file", setting.key));
        let plain = table.get(setting.key).cloned();
        let path = table.get(&file_key).filter(|_| setting.secret).cloned();
        if plain.is_some() && path.is_some() {
            self.faults.push(format!("{name}: {name} and {name}_file are both there; give one"));
        }
        if let Some(value) = plain {
            return Some(("file".into(), Raw::Toml(value)));
        }
        let source = format!("{name}_file");
        let Some(path) = path?.as_str().map(str::to_owned) else {
            self.faults.push(format!("{source}: is not a path in quotation marks"));
            return None;
        };
        self.secret_file(&name, &source, &path).map(|text| (source, Raw::Text(text)))
    }

    /// A secret without the line's end that editors leave.
    fn secret_file(&mut self, name: &str, source: &str, path: &str) -> Option<String> {
        match fs::read_to_string(path) {
            Ok(text) => Some(text.trim().to_owned()),
            Err(error) => {
                self.faults.push(format!("{name} ({source}): {path}: {error}"));
                None
            }
        }
    }

    /// Whether somebody gave this setting, right or wrong.
    pub(super) fn has(&self, name: &str) -> bool {
        self.given.iter().any(|given| given.name == name)
    }

    /// A rule between settings: `name` makes no sense without `other`.
    pub(super) fn needs(&mut self, name: &str, other: &str) {
        if self.has(name) && !self.has(other) {
            self.faults.push(format!("{other}: is needed with {name}"));
        }
    }
}

/// Names of the file that nothing knows, each with the nearest that is known.
fn unknown(table: &Table, sections: &[Described], faults: &mut Vec<String>) {
    let names: Vec<String> = sections.iter().flat_map(|s| s.settings).flat_map(names).collect();
    let tables: Vec<String> = sections.iter().map(|s| s.name.to_owned()).filter(|s| !s.is_empty()).collect();
    for (key, value) in table {
        match value.as_table().filter(|_| tables.contains(key)) {
            Some(inner) => {
                let inner = inner.keys().map(|k| format!("{key}.{k}")).filter(|name| !names.contains(name));
                faults.extend(inner.map(|name| stranger(&name, &names)));
            }
            None if tables.contains(key) => faults.push(format!("{key}: is a table, [{key}]")),
            None if names.contains(key) => {}
            None if value.is_table() => faults.push(stranger(key, &tables)),
            None => faults.push(stranger(key, &names)),
        }
    }
}

/// A setting's names in the file.
fn names(setting: &Setting) -> Vec<String> {
    let name = setting.name();
    let file = setting.secret.then(|| format!("{name}_file"));
    [name].into_iter().chain(file).collect()
}

pub(super) fn stranger(name: &str, known: &[String]) -> String {
    match nearest(name, known) {
        Some(near) => format!("{name}: there is no such setting; did you mean {near}?"),
        None => format!("{name}: there is no such setting"),
    }
}

/// The known name that was most likely meant: a slip of the fingers, or a key
/// in the wrong table.
fn nearest<'a>(name: &str, known: &'a [String]) -> Option<&'a String> {
    let tail = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    let misplaced = || known.iter().find(|k| tail(k) == tail(name));
    let far = |k: &String| strsim::damerau_levenshtein(&k.to_lowercase(), &name.to_lowercase());
    let near = known.iter().map(|k| (far(k), k)).min_by_key(|(far, _)| *far);
    near.filter(|(far, _)| *far <= 1 + name.len() / 5).map(|(_, k)| k).or_else(misplaced)
}

/// Variables that look like a slip. Others' stay unmentioned: orchestrators
/// set some of the same beginning.
fn strangers(names: &[String]) -> Vec<String> {
    let known: Vec<String> = Config::sections()
        .iter()
        .flat_map(|s| s.settings)
        .flat_map(|s| [Some(s.env()), s.secret.then(|| format!("{}_FILE", s.env()))])
        .flatten()
        .collect();
    let ours = names.iter().filter(|n| n.starts_with("MAGPIE_"));
    ours.filter(|n| !known.contains(n) && !OTHER_VARIABLES.contains(&n.as_str()))
        .filter_map(|n| Some(format!("{n} is no setting; did you mean {}?", nearest(n, &known)?)))
        .collect()
}
