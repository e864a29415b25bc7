//! Tools that show the kinds of content a reply can hold.

use callgate::{Body, Content, Fault, Reply, ResourceContents, ResourceText, ToolReply};

use super::{Fixture, NOTHING};
use crate::samples::{PNG, WAV};

pub(super) const TOOLS: &[Fixture] = &[
    Fixture {
        name: "test_simple_text",
        about: "Answers with one text.",
        input: NOTHING,
        run: |_| Box::pin(async { Ok(ToolReply::text("This is a simple text response for testing.").into()) }),
    },
    Fixture {
        name: "test_image_content",
        about: "Answers with a picture of one pixel.",
        input: NOTHING,
        run: |_| Box::pin(async { blocks([image()]) }),
    },
    Fixture {
        name: "test_audio_content",
        about: "Answers with a very short sound.",
        input: NOTHING,
        run: |_| Box::pin(async { blocks([Body::Audio { data: WAV.into(), mime: "audio/wav".into() }]) }),
    },
    Fixture {
        name: "test_embedded_resource",
        about: "Answers with a resource, included.",
        input: NOTHING,
        run: |_| Box::pin(async { blocks([resource("test://embedded-resource", "text/plain", "This is an embedded resource content.")]) }),
    },
    Fixture {
        name: "test_multiple_content_types",
        about: "Answers with a text, a picture and a resource.",
        input: NOTHING,
        run: |_| {
            Box::pin(async {
                let text = Body::Text("Multiple content types test:".into());
                blocks([text, image(), resource("test://mixed-content-resource", "application/json", r#"{"test":"data","value":123}"#)])
            })
        },
    },
    Fixture {
        name: "test_error_handling",
        about: "Always fails: the tool ran, and says what went wrong.",
        input: NOTHING,
        run: |_| Box::pin(async { Ok(ToolReply::error("This tool intentionally returns an error for testing").into()) }),
    },
];

fn blocks<const N: usize>(bodies: [Body; N]) -> Result<Reply, Fault> {
    Ok(ToolReply { content: bodies.map(Content::from).into(), ..ToolReply::default() }.into())
}

fn image() -> Body {
    Body::Image { data: PNG.into(), mime: "image/png".into() }
}

fn resource(uri: &str, mime: &str, text: &str) -> Body {
    let text = ResourceText::Text(text.into());
    Body::Embedded(ResourceContents { uri: uri.into(), mime: Some(mime.into()), text, meta: None })
}
