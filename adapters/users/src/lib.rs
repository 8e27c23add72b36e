//! A user file for those who have no user store: TOML with argon2id hashes, which
//! [`UserFile`] checks passwords against and follows as it changes, and [`UserEditor`] writes.
//!
//! ```toml
//! [[user]]
//! id = "ada"
//! name = "Ada Lovelace"   # optional: the id otherwise
//! roles = ["ops"]         # optional
//! is_admin = true         # optional: false otherwise
//! disabled = true         # optional: false otherwise
//! password = "$argon2id$v=19$m=19456,t=2,p=1$…"
//! ```
//!
//! A file that is wrong in any way is refused as a whole. Nothing that is printed or logged holds a hash.
//!
//! ```
//! use authgate_core::{Credentials, Secret, UserStore, Verdict};
//! use authgate_users::{IfPresent, NewUser, UserEditor, UserFile, hash_password};
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("users.toml");
//! let hash = hash_password(&Secret::new("enigma".to_owned()))?;
//! let editor = UserEditor::new(&path);
//! let mut ada = NewUser::new("ada", hash);
//! ada.is_admin = true;
//! editor.add(&ada, IfPresent::Refuse)?;
//!
//! let users = UserFile::open(&path)?;
//! let typed = Credentials { username: "ada".to_owned(), password: Secret::new("enigma".to_owned()) };
//! let Verdict::Accepted(account) = users.check(&typed)? else { panic!("it is her password") };
//! assert!(account.user.is_admin);
//!
//! editor.set_disabled("ada", true)?;
//! assert_eq!(users.check(&typed)?, Verdict::Rejected); // no restart
//! for ended in users.refresh().ended {
//!     assert_eq!(ended.id, "ada"); // whose sessions must end
//!     // gate.sign_out_everywhere(&ended.id, ended.noticed.into());
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod changes;
mod document;
mod editor;
mod entry;
mod error;
mod follow;
mod hash;
mod listed_user;
mod memory;
mod new_user;
mod parse;
mod read;
mod stamp;
mod turns;
mod user_file;
mod users;
mod watch;
mod write;

pub use changes::{Changes, Ended};
pub use editor::UserEditor;
pub use error::UserFileError;
pub use hash::{HashError, hash_password, is_outdated};
pub use listed_user::ListedUser;
pub use new_user::{IfPresent, NewUser};
pub use user_file::UserFile;
