//! authgate-tokio
