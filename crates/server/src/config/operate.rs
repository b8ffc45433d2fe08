//! What whoever runs the server sees of it, and how it ends.

use std::net::SocketAddr;

use super::{setting::settings, value::between};

settings! {
    /// For monitoring, not for people: /metrics, and /healthz and /readyz, which
    /// are on the address of the server too.
    Metrics at "metrics" {
        /// Address and port; not set: no metrics. On a loopback address or an
        /// inner network.
        listen: Option<SocketAddr> = example "\"127.0.0.1:9464\"";
    }
}

settings! {
    /// How a node ends.
    Drain at "drain" {
        /// For how many seconds /readyz says so before people are sent away: what
        /// a load balancer needs to notice. From 0 to 60.
        notice: i64 = default "0" where between(0, 60);
    }
}
