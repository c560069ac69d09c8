//! The window: the picture large, and beside it what it is painted from, in which style and how.
//!
//! State ([`state`], [`settings`]), what can be asked for ([`commands`]) and drawing ([`panels`]) are apart: a panel
//! reads the state and pushes commands, and [`app`] carries them out between two paints. Once it is open,
//! the window waits for nothing but the small file of its settings: the live session, the "services" thread and the "export" thread work behind it and wake it.

mod app;
mod apply;
mod commands;
mod export;
mod icons;
mod open;
mod panels;
mod picture;
mod replies;
mod services;
mod settings;
mod settings_file;
mod state;
#[cfg(test)]
mod tests;
mod text;
mod theme;
mod widgets;

pub(crate) use open::{Given, RendererChoice, WindowOptions, open};
