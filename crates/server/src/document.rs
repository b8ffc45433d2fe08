//! `magpie openapi` and `magpie events`: the API and what its socket carries,
//! as documents made from the code.

use anyhow::{Result, bail};
use kernel::Listener;
use utoipa::openapi::{InfoBuilder, OpenApi, RefOr};

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
    if module.is_none_or(|name| name == "kernel") {
        documents.push(("kernel", kernel::own_routes().into_openapi()));
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
    name_problems(&mut whole);
    Ok(whole)
}

/// What refuses is a problem document: `body = Problem` alone would say
/// `application/json`.
fn name_problems(document: &mut OpenApi) {
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            for (status, response) in &mut operation.responses.responses {
                if !status.starts_with('2')
                    && let RefOr::T(response) = response
                    && let Some(problem) = response.content.shift_remove("application/json")
                {
                    response.content.insert("application/problem+json".to_owned(), problem);
                }
            }
        }
    }
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

/// The document of all events and frames of the socket.
pub fn events() -> Result<serde_json::Value> {
    let events: Vec<_> = wiring::modules().iter().flat_map(|module| module.events).copied().collect();
    Ok(gateway::document(&events)?)
}

pub fn print_events() -> Result<()> {
    println!("{}", serde_json::to_string_pretty(&events()?)?);
    Ok(())
}

pub fn print(module: Option<&str>) -> Result<()> {
    println!("{}", serde_json::to_string_pretty(&document(module)?)?);
    Ok(())
}
