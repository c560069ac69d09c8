//! The boats in the harbour.

use crate::boat::Boat;
use crate::hull::{Cabin, Hull};
use crate::rig::Rig;
use crate::vector::{Rgb, Vec3, vec3};

const WHITE: Rgb = vec3(0.74, 0.71, 0.65);
const NAVY: Rgb = vec3(0.06, 0.10, 0.20);
const TEAL: Rgb = vec3(0.07, 0.26, 0.28);
const RED: Rgb = vec3(0.50, 0.10, 0.06);
const YELLOW: Rgb = vec3(0.72, 0.48, 0.12);
const TEAK: Rgb = vec3(0.46, 0.30, 0.16);

/// All of them, near and far.
pub(crate) fn fleet() -> Vec<Boat> {
    let mut boats = vec![
        dinghy(vec3(-2.6, 0.0, 14.2), 0.30, WHITE, TEAL),
        dinghy(vec3(4.4, 0.0, 17.2), 0.17, YELLOW, NAVY),
        fishing(vec3(6.9, 0.0, 23.5), 0.70, TEAL, RED),
        fishing(vec3(5.6, 0.0, 54.0), 0.62, RED, WHITE),
        cutter(vec3(-14.6, 0.0, 33.0)),
    ];
    let moored = [
        (5.4, 33.0, 0.60, 9.6, WHITE, NAVY),
        (5.6, 39.5, 0.61, 11.0, NAVY, WHITE),
        (4.6, 46.5, 0.60, 10.2, WHITE, RED),
        (1.0, 66.0, 0.66, 10.8, WHITE, TEAL),
        (-3.5, 74.0, 0.68, 9.5, TEAL, WHITE),
        (-8.5, 84.0, 0.70, 11.5, WHITE, NAVY),
        (-20.5, 66.0, 0.06, 10.0, WHITE, TEAL),
        (-30.0, 92.0, 0.08, 11.5, NAVY, WHITE),
    ];
    boats
        .extend(moored.map(|(x, z, heading, mast_m, paint, trim)| {
            yacht(vec3(x, 0.0, z), heading, mast_m, paint, trim)
        }));
    boats.extend([(-92.0, 265.0, 12.0), (-44.0, 330.0, 14.0), (-160.0, 360.0, 14.0)].map(
        |(x, z, mast_m)| Boat {
            heading_turns: 0.47,
            speed_m_per_s: 0.9,
            rig: Rig::Sailing { mast_m, cloth: WHITE },
            ..cutter(vec3(x, 0.0, z))
        },
    ));
    boats
}

fn dinghy(place: Vec3, heading_turns: f32, paint: Rgb, trim: Rgb) -> Boat {
    let hull = Hull {
        half_length_m: 2.0,
        half_beam_m: 0.78,
        freeboard_m: 0.46,
        well_m: 0.36,
        cabin: None,
        paint,
        trim,
        deck: TEAK,
    };
    Boat { hull, rig: Rig::Oars, place, heading_turns, speed_m_per_s: 0.0, heel: 0.0 }
}

fn fishing(place: Vec3, heading_turns: f32, paint: Rgb, trim: Rgb) -> Boat {
    let cabin =
        Cabin { center: vec3(-1.35, 1.55, 0.0), half: vec3(0.95, 0.85, 0.72), paint: WHITE, is_lit: true };
    let hull = Hull {
        half_length_m: 4.1,
        half_beam_m: 1.45,
        freeboard_m: 1.05,
        well_m: 0.42,
        cabin: Some(cabin),
        paint,
        trim,
        deck: TEAK,
    };
    Boat { hull, rig: Rig::Fishing { mast_m: 6.2 }, place, heading_turns, speed_m_per_s: 0.0, heel: 0.0 }
}

fn yacht(place: Vec3, heading_turns: f32, mast_m: f32, paint: Rgb, trim: Rgb) -> Boat {
    let cabin = Cabin {
        center: vec3(0.2, 1.12, 0.0),
        half: vec3(1.35, 0.26, 0.66),
        paint: TEAK.mix(WHITE, 0.35),
        is_lit: false,
    };
    let hull = Hull {
        half_length_m: 0.42 * mast_m,
        half_beam_m: 1.35,
        freeboard_m: 0.92,
        well_m: 0.10,
        cabin: Some(cabin),
        paint,
        trim,
        deck: TEAK,
    };
    Boat { hull, rig: Rig::Furled { mast_m }, place, heading_turns, speed_m_per_s: 0.0, heel: 0.0 }
}

/// The one that crosses in front, under tanned sails.
fn cutter(place: Vec3) -> Boat {
    let hull = Hull {
        half_length_m: 3.7,
        half_beam_m: 1.25,
        freeboard_m: 0.78,
        well_m: 0.30,
        cabin: None,
        paint: NAVY,
        trim: WHITE,
        deck: TEAK,
    };
    let rig = Rig::Sailing { mast_m: 8.6, cloth: vec3(0.66, 0.23, 0.09) };
    Boat { hull, rig, place, heading_turns: 0.985, speed_m_per_s: 1.0, heel: 0.07 }
}
