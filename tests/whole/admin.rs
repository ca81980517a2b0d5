//! The pages of sysadmins: the way in, who they are, and what attackers get.

mod attacks;
mod connection_test;
mod first_start;
mod guessing;
mod pages;
mod people;
mod servers;
mod sessions;
mod shell;
mod tools;
