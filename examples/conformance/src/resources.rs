//! The resources of the suite: three with a fixed URI and one family.

use callgate::{Call, Fault, Reply, Resource, ResourceContents, ResourceTemplate, ResourceText, UriTemplate};
use serde_json::json;

use crate::samples::PNG;

/// One row of the table: where, what, which media type, and the content.
struct Fixture {
    uri: &'static str,
    about: &'static str,
    mime: &'static str,
    content: fn() -> ResourceText,
}

const TABLE: &[Fixture] = &[
    Fixture {
        uri: "test://static-text",
        about: "A text that never changes.",
        mime: "text/plain",
        content: || ResourceText::Text("This is the content of the static text resource.".into()),
    },
    Fixture {
        uri: "test://static-binary",
        about: "A picture of one pixel.",
        mime: "image/png",
        content: || ResourceText::Blob(PNG.into()),
    },
    Fixture {
        uri: "test://watched-resource",
        about: "A text to subscribe to.",
        mime: "text/plain",
        content: || ResourceText::Text("Watched resource content.".into()),
    },
];

const FAMILY: &str = "test://template/{id}/data";

/// All resources with a fixed URI.
pub(crate) fn offers() -> Vec<Resource> {
    let offer = |fixture: &Fixture| Resource {
        uri: fixture.uri.into(),
        name: fixture.uri.trim_start_matches("test://").into(),
        description: Some(fixture.about.into()),
        mime: Some(fixture.mime.into()),
        ..Resource::default()
    };
    TABLE.iter().map(offer).collect()
}

/// The family.
pub(crate) fn families() -> Vec<ResourceTemplate> {
    let uri = UriTemplate::parse(FAMILY).expect("the template is well-formed");
    vec![ResourceTemplate {
        description: Some("One document for each id.".into()),
        mime: Some("application/json".into()),
        ..ResourceTemplate::new(uri, "template")
    }]
}

/// Reads the resource that the call names. For a member of the family the gate has found out the id.
pub(crate) fn read(call: &Call) -> Result<Reply, Fault> {
    let uri = call.target.name();
    if let Some(id) = call.found.variable("id") {
        let document = json!({ "id": id, "templateTest": true, "data": format!("Data for ID: {id}") });
        return Ok(contents(uri, "application/json", ResourceText::Text(document.to_string())));
    }
    let fixture = TABLE.iter().find(|fixture| fixture.uri == uri).ok_or_else(|| Fault::unknown_resource(uri))?;
    Ok(contents(uri, fixture.mime, (fixture.content)()))
}

fn contents(uri: &str, mime: &str, text: ResourceText) -> Reply {
    Reply::Resource(vec![ResourceContents { uri: uri.into(), mime: Some(mime.into()), text, meta: None }])
}
