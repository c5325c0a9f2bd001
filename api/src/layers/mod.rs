//! What every request passes on its way in and out. From the outside: whether the node
//! is leaving, the request's id, what is told of it, the headers of every answer, the writing of
//! problems, the limit by address, bodies refused by their headers, the deadline, the net under panics.

pub(crate) mod bodies;
pub(crate) mod deadline;
pub(crate) mod headers;
pub(crate) mod leaving;
pub(crate) mod limit;
pub(crate) mod panics;
pub(crate) mod problems;
pub(crate) mod request_id;
pub(crate) mod telemetry;
