//! The API document is checked in, complete, and the same as the code.

use serde_json::Value;

fn document() -> Value {
    serde_json::to_value(magpie::document::document(None).unwrap()).unwrap()
}

#[test]
fn the_checked_in_document_is_made_from_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    let written: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(written == document(), "docs/openapi.json is not what the code says: run `make gen`");
}

#[test]
fn the_checked_in_document_of_events_is_made_from_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/events.json");
    let written: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(
        written == magpie::document::events().unwrap(),
        "docs/events.json is not what the code says: run `make gen`"
    );
}

#[test]
fn every_event_and_signal_is_explained() {
    let text = include_str!("../../../../docs/realtime.md");
    let document = magpie::document::events().unwrap();
    for (stream, kinds) in document["streams"].as_object().unwrap() {
        let heading = match stream.as_str() {
            "org" => "### Events of an organisation".to_owned(),
            stream => format!("### Events of a {stream}"),
        };
        let (_, rest) = text.split_once(&heading).unwrap_or_else(|| panic!("docs/realtime.md lacks {heading:?}"));
        let table = rest.split("\n#").next().unwrap_or_default();
        for kind in kinds.as_object().unwrap().keys() {
            assert!(table.contains(&format!("| `{kind}` |")), "docs/realtime.md does not explain {kind} of {stream}");
        }
    }
    for name in document["$defs"].as_object().unwrap().keys() {
        if let Some(kind) = name.strip_prefix("server.touched.") {
            let told = text.lines().any(|line| line.starts_with("`touched`") && line.contains(&format!("`{kind}`")));
            assert!(told, "docs/realtime.md does not explain the signal {kind}");
        }
    }
}

#[test]
fn every_operation_is_named_and_says_who_may_call_it() {
    let mut seen = std::collections::HashSet::new();
    for (path, methods) in document()["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let at = format!("{method} {path}");
            let id = operation["operationId"].as_str().unwrap_or_default();
            let (module, rest) = id.split_once('.').unwrap_or_default();
            assert_eq!(operation["tags"][0], module, "{at}: the tag is the module");
            assert!(rest.contains('_'), "{at}: {id:?} is not module.verb_noun");
            assert!(seen.insert(id.to_owned()), "{at}: {id} stands twice");
            assert!(path.starts_with("/api/v1/"), "{at}");
            let authz = &operation["x-authz"];
            for part in ["object", "action", "scope"] {
                assert!(authz[part].is_string(), "{at}: x-authz lacks {part}");
            }
            assert!(authz["roles"].as_array().is_some_and(|roles| !roles.is_empty()), "{at}: x-authz lacks roles");
            assert!(operation["summary"].is_string(), "{at}: has no doc comment");
        }
    }
    assert!(seen.len() > 40, "only {} operations were found", seen.len());
}

#[test]
fn every_reference_leads_to_a_schema() {
    let document = document();
    let text = document.to_string();
    for rest in text.split("\"$ref\":\"#").skip(1) {
        let pointer = rest.split('"').next().unwrap_or_default();
        assert!(document.pointer(pointer).is_some(), "{pointer} is named, but not there");
    }
}

#[test]
fn each_module_alone_says_what_the_whole_says() {
    let whole = document();
    for module in magpie::wiring::modules() {
        let alone = serde_json::to_value(magpie::document::document(Some(module.name)).unwrap()).unwrap();
        for (name, schema) in alone["components"]["schemas"].as_object().unwrap() {
            assert_eq!(schema, &whole["components"]["schemas"][name], "{}: {name}", module.name);
        }
    }
}
