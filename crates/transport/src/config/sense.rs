//! Limits so low that nothing could be served. Counts say so in the schema; what has a unit is looked at here.

use callgate_config::{Size, Span};

use super::Config;

const INSTANT: Span = Span::millis(1);

impl Config {
    /// What makes no sense: where it stands below `wire`, and why.
    #[must_use]
    pub fn mistakes(&self) -> Vec<(&'static str, String)> {
        let (http, sessions, proof, listen) = (&self.http, &self.sessions, &self.proof, &self.listen);
        let sizes = [
            ("/http/body", http.body, Size(1024)),
            ("/http/bodies", http.bodies, http.body),
            ("/http/replies", http.replies, Size::mib(1)),
            ("/http/headers", http.headers, Size::kib(8)),
            ("/listen/uri", listen.uri, Size(256)),
            // The longest one must find room, with what is counted beside it.
            ("/listen/uris_per_caller", listen.uris_per_caller, Size(listen.uri.0.saturating_add(1024))),
            ("/listen/uris_total", listen.uris_total, listen.uris_per_caller),
            ("/questions/size", self.questions.size, Size(1024)),
            ("/sessions/bytes", sessions.bytes, Size(1024)),
            ("/sessions/kept", sessions.kept, sessions.bytes),
            ("/stdio/line", self.stdio.line, Size(1024)),
        ];
        let spans = [
            ("/longest", self.longest, INSTANT),
            ("/listen/keep_alive", listen.keep_alive, Span::seconds(1)),
            ("/proof/recheck", proof.recheck, Span::millis(100)),
            ("/questions/expiry", self.questions.expiry, Span::seconds(1)),
            ("/questions/wait", self.questions.wait, Span::seconds(1)),
            ("/sessions/idle", sessions.idle, Span::seconds(1)),
            ("/http/body_time", http.body_time, INSTANT),
            ("/http/header_time", http.header_time, INSTANT),
            ("/http/idle", http.idle, INSTANT),
            ("/http/write_time", http.write_time, INSTANT),
        ];
        let tls = http
            .tls
            .iter()
            .flat_map(|tls| [("/http/tls/handshake", tls.handshake, INSTANT), ("/http/tls/look", tls.look, Span::millis(100))]);
        let spans: Vec<_> = spans.into_iter().chain(tls).collect();
        let small = sizes.iter().filter(|(_, size, least)| size < least).map(|(at, size, least)| (*at, few(size, least)));
        let short = spans.iter().filter(|(_, span, least)| span < least).map(|(at, span, least)| (*at, few(span, least)));
        small.chain(short).collect()
    }
}

fn few(found: &impl std::fmt::Display, least: &impl std::fmt::Display) -> String {
    format!("`{found}` is too little to serve anybody; at least `{least}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_that_serve_nobody_are_named() {
        assert_eq!(Config::default().mistakes(), []);
        let mut config = Config::default();
        config.http.headers = Size(1);
        config.http.body = Size(0);
        config.http.idle = Span::millis(0);
        let places: Vec<_> = config.mistakes().into_iter().map(|(place, _)| place).collect();
        assert_eq!(places, ["/http/body", "/http/headers", "/http/idle"]);
        let (_, why) = config.mistakes().remove(1);
        assert_eq!(why, "`1B` is too little to serve anybody; at least `8KiB`");
    }
}
