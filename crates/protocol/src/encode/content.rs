//! Content blocks and resource contents, as each revision has them.

use callgate_model::{Body, Content, Resource, ResourceContents, ResourceText};

use super::writer::Object;
use crate::Revision;

/// Writes the members of one content block.
pub(super) fn content(object: &mut Object<'_>, revision: Revision, content: &Content) {
    match &content.body {
        Body::Text(text) => object.value("type", "text").value("text", text),
        Body::Image { data, mime } => object.value("type", "image").value("data", data).value("mimeType", mime),
        Body::Audio { data, mime } => object.value("type", "audio").value("data", data).value("mimeType", mime),
        // The first revision has no links; the address is still worth something to a reader.
        Body::Link(resource) if revision < Revision::V2025_06_18 => object.value("type", "text").value("text", &resource.uri),
        Body::Link(link) => {
            object.value("type", "resource_link");
            resource(object, revision, link);
            return;
        }
        Body::Embedded(contents) => {
            object.value("type", "resource").object("resource", |object| self::contents(object, revision, contents))
        }
    };
    object.maybe("annotations", content.annotations.as_ref());
    if revision >= Revision::V2025_06_18 {
        object.maybe("_meta", content.meta.as_ref());
    }
}

/// Writes the members of what reading a resource gave.
pub(super) fn contents(object: &mut Object<'_>, revision: Revision, contents: &ResourceContents) {
    object.value("uri", &contents.uri).maybe("mimeType", contents.mime.as_ref());
    match &contents.text {
        ResourceText::Text(text) => object.value("text", text),
        ResourceText::Blob(base64) => object.value("blob", base64),
    };
    if revision >= Revision::V2025_06_18 {
        object.maybe("_meta", contents.meta.as_ref());
    }
}

/// Writes the members of a resource in a list or a link.
pub(super) fn resource(object: &mut Object<'_>, revision: Revision, resource: &Resource) {
    object.value("uri", &resource.uri).value("name", &resource.name);
    if revision >= Revision::V2025_06_18 {
        object.maybe("title", resource.title.as_ref());
    }
    object
        .maybe("description", resource.description.as_ref())
        .maybe("mimeType", resource.mime.as_ref())
        .maybe("size", resource.size.as_ref())
        .maybe("annotations", resource.annotations.as_ref());
    if revision >= Revision::V2025_11_25 {
        object.maybe("icons", resource.icons.as_ref());
    }
    if revision >= Revision::V2025_06_18 {
        object.maybe("_meta", resource.meta.as_ref());
    }
}
