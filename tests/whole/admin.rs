//! The pages of sysadmins: the way in, who they are, and what attackers get.

mod attacks;
mod audit;
mod configuration;
mod connection_test;
mod connections;
mod examples;
mod first_start;
mod guessing;
mod journal;
mod launches;
mod pages;
mod people;
mod platforms;
mod servers;
mod sessions;
mod shell;
mod tools;
mod way_in;
