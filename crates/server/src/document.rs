//! `magpie openapi`: the API document, made from the code.

use anyhow::{Result, bail};
use kernel::Listener;
use utoipa::openapi::{InfoBuilder, OpenApi};

use crate::wiring;

/// The document of all modules, or of one.
pub fn document(module: Option<&str>) -> Result<OpenApi> {
    let mut documents = Vec::new();
    for declared in wiring::modules().into_iter().filter(|m| module.is_none_or(|name| m.name == name)) {
        for (listener, routes) in (declared.routes)() {
            if listener == Listener::Web {
                documents.push((declared.name, routes.into_openapi()));
            }
        }
    }
    if documents.is_empty() {
        bail!("there is no module of that name");
    }
    let mut whole = OpenApi::new(
        InfoBuilder::new()
            .title("Magpie")
            .version("1")
            .description(Some("Errors are RFC 9457 problems with a stable `code`. Lists page by an opaque cursor."))
            .build(),
        utoipa::openapi::Paths::new(),
    );
    for (name, document) in documents {
        clash(&whole, &document, name)?;
        whole.merge(document);
    }
    Ok(whole)
}

/// Merging keeps the first of two schemas of one name and drops the other
/// without a word; so equal names must have equal content.
fn clash(whole: &OpenApi, part: &OpenApi, module: &str) -> Result<()> {
    let (Some(ours), Some(theirs)) = (&whole.components, &part.components) else { return Ok(()) };
    for (name, schema) in &theirs.schemas {
        if let Some(other) = ours.schemas.get(name)
            && serde_json::to_value(other)? != serde_json::to_value(schema)?
        {
            bail!("{module}: the schema {name} is something else in another module");
        }
    }
    Ok(())
}

pub fn print(module: Option<&str>) -> Result<()> {
    println!("{}", serde_json::to_string_pretty(&document(module)?)?);
    Ok(())
}
