//! `toolgate sign` and `toolgate sign-login`: addresses for trying by hand what LAMS and external LMSs send.

use clap::Args;

use toolgate::domain::login_request::Method;
use toolgate::flows::sign;
use toolgate::opening;
use toolgate::settings::Settings;

/// A login that is to be tried.
#[derive(Args)]
pub(crate) struct SignLogin {
    /// The platform's id.
    platform: String,
    /// The server's id.
    server: String,
    /// The login on the external server, such as Bill.
    user: String,
    /// What for: author, monitor, learner or learnerStrictAuth.
    method: Method,
    /// The course there.
    #[arg(long)]
    course: Option<String>,
    /// That course's name for people.
    #[arg(long)]
    course_name: Option<String>,
    /// The customCSV for the activities that an author adds, such as Bill,7,3,moodle
    #[arg(long)]
    custom_csv: Option<String>,
    /// The lesson's id in LAMS, for monitors and learners.
    #[arg(long)]
    lesson: Option<String>,
}

/// The address of a launch: path and query of a platform's, signed for a user.
pub(crate) async fn launch(
    settings: &Settings,
    [platform, user, path]: [&str; 3],
) -> anyhow::Result<String> {
    let opened = opening::open(settings).await?;
    let vault = opened.secret_keys.vault();
    let signed = sign::sign(&opened.store, &vault, platform, user, path).await?;
    opened.store.close().await;
    Ok(format!("{signed}\n"))
}

/// The address of a LoginRequest.
pub(crate) async fn login(settings: &Settings, login: &SignLogin) -> anyhow::Result<String> {
    let opened = opening::open(settings).await?;
    let vault = opened.secret_keys.vault();
    let more = [
        ("courseid", &login.course),
        ("courseName", &login.course_name),
        ("customCSV", &login.custom_csv),
        ("lsid", &login.lesson),
    ];
    let more = more.into_iter();
    let more: Vec<_> = more
        .filter_map(|(name, value)| Some((name, value.as_deref()?)))
        .collect();
    let at = (login.platform.as_str(), login.server.as_str());
    let who = (login.user.as_str(), login.method);
    let signed = sign::sign_login(&opened.store, &vault, at, who, &more).await?;
    opened.store.close().await;
    let public_url = settings.public_url.clone();
    let public_url = public_url.unwrap_or_else(|| format!("http://{}", settings.listen));
    Ok(format!("{public_url}{signed}\n"))
}
