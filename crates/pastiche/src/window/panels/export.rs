//! The queue of exports.

use egui::{Align, Label, Layout, ProgressBar, RichText, ScrollArea, TextWrapMode, Ui, vec2};

use crate::window::{
    commands::{AppCommand, ExportCommand},
    export::{Job, JobState},
    icons::Icon,
    state::State,
    text, theme,
    widgets::{IconButton, heading},
};

pub(super) fn queue_ui(ui: &mut Ui, state: &State, commands: &mut Vec<AppCommand>) {
    heading(ui, text::QUEUE);
    if state.jobs.is_empty() {
        ui.label(RichText::new(text::QUEUE_EMPTY).color(theme::palette(ui.visuals()).muted));
    }
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        for job in &state.jobs {
            ui.push_id(job.id, |ui| job_ui(ui, job, commands));
        }
    });
}

fn job_ui(ui: &mut Ui, job: &Job, commands: &mut Vec<AppCommand>) {
    const BUTTONS_WIDTH: f32 = 110.0;
    let palette = theme::palette(ui.visuals());
    ui.horizontal(|ui| {
        let width = ui.available_width() - BUTTONS_WIDTH;
        ui.vertical(|ui| {
            ui.set_width(width);
            ui.spacing_mut().item_spacing.y = 3.0;
            let name = text::file_name(&job.request.video.output);
            ui.horizontal(|ui| {
                ui.label(RichText::new(name).color(palette.text));
                let style = RichText::new(&job.request.style_title).size(12.0).color(palette.muted);
                ui.add(Label::new(style).wrap_mode(TextWrapMode::Truncate));
            });
            if let Some(fraction) = fraction_done(&job.state) {
                let name = text::file_name(&job.request.video.output);
                ui.name_inputs(name, |ui| {
                    ui.add(ProgressBar::new(fraction).desired_height(6.0).fill(palette.accent));
                });
            }
            let (words, color) = match &job.state {
                JobState::Failed(_) => (describe(&job.state), palette.danger),
                JobState::Done(_) => (describe(&job.state), palette.success),
                _ => (describe(&job.state), palette.muted),
            };
            let line = RichText::new(&words).size(12.0).color(color);
            ui.add(Label::new(line).wrap_mode(TextWrapMode::Truncate)).on_hover_text(words);
        });
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing = vec2(2.0, 0.0);
            buttons_ui(ui, job, commands);
        });
    });
    ui.separator();
}

fn buttons_ui(ui: &mut Ui, job: &Job, commands: &mut Vec<AppCommand>) {
    let mut button = |ui: &mut Ui, icon: Icon, name: &str, command: AppCommand| {
        if IconButton::icon(icon, name).show(ui).on_hover_text(name).clicked() {
            commands.push(command);
        }
    };
    match &job.state {
        JobState::Running { paused, stopping, .. } => {
            ui.add_enabled_ui(!stopping, |ui| {
                button(ui, Icon::Close, text::CANCEL, ExportCommand::Cancel(job.id).into());
                if *paused {
                    button(ui, Icon::Play, text::RESUME, ExportCommand::Resume(job.id).into());
                } else {
                    button(ui, Icon::Pause, text::PAUSE, ExportCommand::Pause(job.id).into());
                }
            });
        }
        JobState::Waiting => button(ui, Icon::Close, text::CANCEL, ExportCommand::Cancel(job.id).into()),
        over => {
            button(ui, Icon::Close, text::REMOVE, ExportCommand::Remove(job.id).into());
            if !matches!(over, JobState::Done(_)) {
                button(ui, Icon::Retry, text::RETRY, ExportCommand::Retry(job.id).into());
            }
            if matches!(over, JobState::Done(_) | JobState::Cancelled { kept: true }) {
                let output = job.request.video.output.clone();
                button(ui, Icon::Folder, text::SHOW_IN_FOLDER, AppCommand::Reveal(output));
            }
        }
    }
}

/// How much is done, from 0 to 1, of a job that runs.
fn fraction_done(state: &JobState) -> Option<f32> {
    let JobState::Running { progress, .. } = state else { return None };
    let fraction = progress.as_ref().and_then(|progress| {
        let total = progress.frames_total.filter(|total| *total > 0)?;
        Some(progress.frames_done as f32 / total as f32)
    });
    Some(fraction.unwrap_or(0.0))
}

fn describe(state: &JobState) -> String {
    match state {
        JobState::Waiting => text::WAITING.to_owned(),
        JobState::Running { stopping: true, .. } => text::STOPPING.to_owned(),
        JobState::Running { progress: None, .. } => text::STARTING.to_owned(),
        JobState::Running { progress: Some(progress), paused, .. } => text::job_progress(
            fraction_done(state).unwrap_or(0.0),
            progress.frames_per_second,
            progress.time_left,
            *paused,
        ),
        JobState::Done(outcome) => text::job_done(outcome.frames, outcome.elapsed, outcome.bytes),
        JobState::Cancelled { kept: true } => text::CANCELLED_KEPT.to_owned(),
        JobState::Cancelled { kept: false } => text::CANCELLED.to_owned(),
        JobState::Failed(reason) => reason.clone(),
    }
}
