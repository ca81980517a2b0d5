//! The pages of the sysadmins, under `/admin/`: server-rendered, no script needed. Each handler takes
//! [`guard::SignedIn`] to show something and [`guard::Posted`] to change something; there is no other way
//! to a form's fields than past the check of its token.

mod account;
mod audit;
mod configuration;
mod connected;
mod connection_test;
mod connections;
mod cookies;
mod first;
mod forms;
mod frame;
mod guard;
mod home;
mod input;
mod journal;
mod launches;
mod next;
mod people;
mod platforms;
mod servers;
mod shell;
mod sign_in;
mod sysadmins;
mod tools;

use actix_web::http::header;
use actix_web::middleware::from_fn;
use actix_web::{HttpResponse, Resource, web};

#[cfg(fuzzing)]
pub(super) use forms::read_parts;
pub(super) use frame::refusal;

use super::problem;
use crate::flows::Gateway;

/// Whether an address is one of these pages.
pub(super) fn is_admin(path: &str) -> bool {
    path == "/admin" || path.starts_with("/admin/")
}

/// All addresses.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    let page = |path: &str| web::resource(path.to_owned());
    config.service(
        web::scope("/admin")
            .wrap(from_fn(guard::same_origin))
            .service(page("").route(web::get().to(to_home)))
            .service(page("/").route(web::get().to(home::show)))
            .service(
                page("/sign-in")
                    .route(web::get().to(sign_in::show))
                    .route(web::post().to(sign_in::sign_in)),
            )
            .service(page("/sign-out").route(web::post().to(sign_in::sign_out)))
            .service(
                page("/first")
                    .route(web::get().to(first::show))
                    .route(web::post().to(first::make)),
            )
            .service(page("/account").route(web::get().to(account::show)))
            .service(page("/account/password").route(web::post().to(account::change_password)))
            .service(page("/account/end-session").route(web::post().to(account::end_session)))
            .service(
                page("/account/end-other-sessions")
                    .route(web::post().to(account::end_other_sessions)),
            )
            .service(
                page("/sysadmins")
                    .route(web::get().to(sysadmins::show))
                    .route(web::post().to(sysadmins::add)),
            )
            .service(
                page("/sysadmins/{id}/remove")
                    .route(web::get().to(sysadmins::ask_to_remove))
                    .route(web::post().to(sysadmins::remove)),
            )
            .service(
                page("/servers/{id}/test")
                    .route(web::get().to(connection_test::ask))
                    .route(web::post().to(connection_test::run)),
            )
            .service(page("/servers").route(web::get().to(servers::show)))
            .service(
                page("/servers/add")
                    .route(web::get().to(servers::show_add))
                    .route(web::post().to(servers::add)),
            )
            .service(
                page("/servers/edit")
                    .route(web::get().to(servers::show_edit))
                    .route(web::post().to(servers::change)),
            )
            .service(
                page("/servers/disable")
                    .route(web::get().to(servers::ask_to_disable))
                    .route(web::post().to(servers::disable)),
            )
            .service(page("/servers/enable").route(web::post().to(servers::enable)))
            .service(
                page("/servers/delete")
                    .route(web::get().to(servers::ask_to_delete))
                    .route(web::post().to(servers::delete)),
            )
            .configure(|config| happened(config, page))
            .configure(|config| connecting(config, page))
            .service(page("/people").route(web::get().to(people::show)))
            .service(page("/people/courses").route(web::get().to(people::show_courses)))
            .service(page("/people/person").route(web::get().to(people::show_person)))
            .service(
                page("/people/try")
                    .route(web::get().to(people::show_try))
                    .route(web::post().to(people::make_address)),
            )
            .service(page("/tools").route(web::get().to(tools::show)))
            .service(page("/tools/tool").route(web::get().to(tools::show_one)))
            .service(page("/tools/servers").route(web::post().to(tools::map)))
            .service(page("/tools/preview").route(web::get().to(tools::show_preview)))
            .service(
                page("/tools/new")
                    .route(web::get().to(tools::show_new))
                    .route(web::post().to(tools::add)),
            )
            .service(
                page("/tools/edit")
                    .route(web::get().to(tools::show_edit))
                    .route(web::post().to(tools::change)),
            )
            .service(page("/tools/try").route(web::post().to(tools::try_out)))
            .service(page("/tools/upload").route(web::post().to(tools::upload)))
            .service(page("/tools/file").route(web::get().to(tools::download)))
            .service(
                page("/tools/delete")
                    .route(web::get().to(tools::ask_to_delete))
                    .route(web::post().to(tools::delete)),
            )
            .service(page("/audit").route(web::get().to(audit::show)))
            .default_service(web::to(problem::no_such_page)),
    );
}

/// Launches and the journal.
fn happened(config: &mut web::ServiceConfig, page: impl Fn(&str) -> Resource) {
    config
        .service(page("/launches").route(web::get().to(launches::show)))
        .service(page("/launches/newer").route(web::get().to(launches::newer)))
        .service(page("/launches/charts").route(web::get().to(launches::show_charts)))
        .service(page("/launches/{id}").route(web::get().to(launches::show_story)))
        .service(page("/journal").route(web::get().to(journal::show)))
        .service(page("/journal/entry").route(web::get().to(journal::show_entry)))
        .service(page("/journal/retry").route(web::post().to(journal::retry)))
        .service(
            page("/journal/adopt")
                .route(web::get().to(journal::ask_to_adopt))
                .route(web::post().to(journal::adopt)),
        )
        .service(
            page("/journal/give-up")
                .route(web::get().to(journal::ask_to_give_up))
                .route(web::post().to(journal::give_up)),
        )
        .service(page("/journal/left-behind").route(web::get().to(journal::show_left_behind)))
        .service(
            page("/journal/left-behind/delete").route(web::post().to(journal::delete_left_behind)),
        )
        .service(
            page("/journal/left-behind/strike").route(web::post().to(journal::strike_left_behind)),
        );
}

/// Platforms, LMS connections, and the configuration as a file.
fn connecting(config: &mut web::ServiceConfig, page: impl Fn(&str) -> Resource) {
    let form = || web::PayloadConfig::new(configuration::LONGEST_FORM);
    config
        .service(page("/platforms").route(web::get().to(platforms::show)))
        .service(
            page("/platforms/add")
                .route(web::get().to(platforms::show_add))
                .route(web::post().to(platforms::add)),
        )
        .service(
            page("/platforms/edit")
                .route(web::get().to(platforms::show_edit))
                .route(web::post().to(platforms::change)),
        )
        .service(
            page("/platforms/secret")
                .route(web::get().to(platforms::ask_for_secret))
                .route(web::post().to(platforms::make_secret)),
        )
        .service(
            page("/platforms/delete")
                .route(web::get().to(platforms::ask_to_delete))
                .route(web::post().to(platforms::delete)),
        )
        .service(
            page("/configuration")
                .app_data(form())
                .route(web::get().to(configuration::show))
                .route(web::post().to(configuration::plan)),
        )
        .service(
            page("/configuration/apply")
                .app_data(form())
                .route(web::post().to(configuration::apply)),
        )
        .service(page("/connections").route(web::get().to(connections::show)))
        .service(
            page("/connections/edit")
                .route(web::get().to(connections::show_edit))
                .route(web::post().to(connections::change)),
        )
        .service(page("/connections/move").route(web::post().to(connections::move_up)))
        .service(
            page("/connections/remove")
                .route(web::get().to(connections::ask_to_remove))
                .route(web::post().to(connections::remove)),
        )
        .service(page("/configuration/file").route(web::get().to(configuration::download)));
}

/// Where LAMS has a page of a tool's own for its sysadmins, there is one place for all here.
pub(super) fn from_lams(gateway: &Gateway) -> HttpResponse {
    HttpResponse::Found()
        .insert_header((header::LOCATION, address(gateway, "/admin/")))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}

async fn to_home(gateway: web::Data<Gateway>) -> HttpResponse {
    see_other(&gateway, "/admin/")
}

/// A path of ours as browsers reach it.
fn address(gateway: &Gateway, path: &str) -> String {
    format!("{}{path}", gateway.public_path())
}

/// 303 to a path of ours: what follows a form that was taken.
fn see_other(gateway: &Gateway, path: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, address(gateway, path)))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}
