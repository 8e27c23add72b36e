//! authgate-smol
