//! Outgoing HTTP: the one way in which the gate calls other systems by URL.
//!
//! It promises that a request goes only to an address class that the operator allowed, checked after the name was resolved; that it
//! follows no redirect; and that an answer is bounded in size and time, before it is unpacked and after. It leaves to its users what
//! is asked, with which credentials, and what the answer means.
