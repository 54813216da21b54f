//! Pictures as files, as folders, and as photos of digits.

mod decode;
mod digits;
mod folders;
mod photo;
mod sizes;
