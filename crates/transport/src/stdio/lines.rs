//! Lines of bounded length.

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};

/// One line, without its end.
pub(super) enum Line {
    /// As it came.
    Text(Bytes),
    /// It was longer than allowed and was skipped.
    TooLong,
}

/// The lines of a byte stream.
pub(super) struct Lines<R> {
    reader: BufReader<R>,
    longest: usize,
    part: BytesMut,
    is_too_long: bool,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    /// Lines of at most `longest` bytes.
    pub(super) fn new(reader: R, longest: usize) -> Self {
        Self { reader: BufReader::new(reader), longest, part: BytesMut::new(), is_too_long: false }
    }

    /// The next line; `None` when the stream ends. What stands behind the last line break counts as a line.
    pub(super) async fn next(&mut self) -> std::io::Result<Option<Line>> {
        loop {
            let chunk = self.reader.fill_buf().await?;
            if chunk.is_empty() {
                return Ok((!self.part.is_empty() || self.is_too_long).then(|| self.take()));
            }
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let text = &chunk[..end.unwrap_or(chunk.len())];
            if self.part.len() + text.len() > self.longest {
                self.is_too_long = true;
                self.part.clear();
            } else if !self.is_too_long {
                self.part.extend_from_slice(text);
            }
            let used = end.map_or(chunk.len(), |end| end + 1);
            self.reader.consume(used);
            if end.is_some() {
                return Ok(Some(self.take()));
            }
        }
    }

    fn take(&mut self) -> Line {
        if std::mem::take(&mut self.is_too_long) {
            return Line::TooLong;
        }
        let mut line = self.part.split();
        if line.last() == Some(&b'\r') {
            line.truncate(line.len() - 1);
        }
        Line::Text(line.freeze())
    }
}
