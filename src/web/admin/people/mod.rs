//! Who came into LAMS by a LoginRequest: people, the courses that they came from, one person, and an address
//! for trying. Names stand in queries, not in paths: they come from outside.

mod person;
mod trying;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use url::form_urlencoded::Serializer;

pub(super) use person::show as show_person;
pub(super) use trying::{make as make_address, show as show_try};

use super::frame::{Frame, page};
use super::guard::SignedIn;
use super::input::Select;
use crate::domain::configuration::Configuration;
use crate::domain::query::Query;
use crate::flows::people::{self, Page};
use crate::flows::{Gateway, Refusal};
use crate::store::{LoginCourse, LoginUser};
use crate::web::problem::Problem;

const USERS: &str = "/admin/people";
const COURSES: &str = "/admin/people/courses";
/// No name, id or title is longer, in characters.
const LONGEST: usize = 255;
/// Nobody turns over more pages.
const LAST_PAGE: u32 = 100_000;

/// What is looked for, read from an address.
struct Search {
    path: &'static str,
    text: String,
    server: String,
    /// The page, from 0.
    page: u32,
}

impl Search {
    fn read(path: &'static str, query: &str) -> Self {
        let query = Query::parse(query);
        let text = |name| query.get(name).unwrap_or_default().trim().to_owned();
        let number = query.get("page").and_then(|page| page.parse::<u32>().ok());
        Self {
            path,
            text: text("search"),
            server: text("server"),
            page: number.unwrap_or_default().min(LAST_PAGE),
        }
    }

    fn is_empty(&self) -> bool {
        self.text.is_empty() && self.server.is_empty()
    }

    /// What is asked; nothing where nobody can have such a name.
    fn asked(&self) -> Option<(&str, &str)> {
        let sane = |text: &str| text.chars().count() <= LONGEST && !text.contains(char::is_control);
        (sane(&self.text) && sane(&self.server)).then_some((&self.server, &self.text))
    }

    /// A page of the same search, at one of the two lists.
    fn address(&self, path: &str, page: u32) -> String {
        let page = if page == 0 {
            String::new()
        } else {
            page.to_string()
        };
        let all = [
            ("search", self.text.as_str()),
            ("server", &self.server),
            ("page", &page),
        ];
        address(path, &all)
    }

    fn newer(&self) -> Option<String> {
        let before = self.page.checked_sub(1)?;
        Some(self.address(self.path, before))
    }

    fn older(&self, has_more: bool) -> Option<String> {
        has_more.then(|| self.address(self.path, self.page + 1))
    }

    /// The same search in the other list.
    fn at(&self, path: &str) -> String {
        self.address(path, 0)
    }

    fn servers(&self, configuration: &Configuration) -> Select {
        let mut options = vec![(String::new(), "any".to_owned())];
        let servers = configuration.servers();
        options.extend(servers.map(|server| (server.id.to_string(), server.name.clone())));
        // Somebody may have come from one that is not configured any more.
        if options.iter().all(|(id, _)| *id != self.server) {
            options.push((self.server.clone(), self.server.clone()));
        }
        Select::new("server", "Server", options, &self.server)
    }
}

/// A path with those parameters that are not empty.
fn address(path: &str, parameters: &[(&str, &str)]) -> String {
    let given = parameters.iter().filter(|(_, value)| !value.is_empty());
    let query = Serializer::new(String::new()).extend_pairs(given).finish();
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    }
}

/// The name of a server; its id where it is not configured any more.
fn server_name(configuration: &Configuration, id: &str) -> String {
    let server = configuration.server(id);
    server.map_or_else(|| id.to_owned(), |server| server.name.clone())
}

/// A row, with the name of its server.
struct Row<T> {
    row: T,
    server: String,
}

impl Row<LoginUser> {
    fn address(&self) -> String {
        let user = &self.row;
        let all = [
            ("platform", user.platform_id.as_str()),
            ("server", &user.server_id),
            ("login", &user.ext_login),
        ];
        address("/admin/people/person", &all)
    }
}

#[derive(Template)]
#[template(path = "admin/people.html")]
struct PeoplePage<'a> {
    frame: Frame<'a>,
    public_url: &'a str,
    search: Search,
    servers: Select,
    people: Vec<Row<LoginUser>>,
    courses: Vec<Row<LoginCourse>>,
    is_courses: bool,
    has_more: bool,
}

impl PeoplePage<'_> {
    fn is_nothing(&self) -> bool {
        self.people.is_empty() && self.courses.is_empty()
    }
}

fn named<T>(rows: Vec<T>, configuration: &Configuration, id: impl Fn(&T) -> &str) -> Vec<Row<T>> {
    let rows = rows.into_iter().map(|row| Row {
        server: server_name(configuration, id(&row)),
        row,
    });
    rows.collect()
}

async fn found<'s, T, F>(
    search: &'s Search,
    look: impl FnOnce((&'s str, &'s str), u32) -> F,
) -> Result<Page<T>, Problem>
where
    F: Future<Output = Result<Page<T>, Refusal>>,
{
    Ok(match search.asked() {
        Some(asked) => look(asked, search.page).await?,
        None => Page::empty(),
    })
}

/// `GET /admin/people[?search][&server][&page]`
pub(super) async fn show(
    request: HttpRequest,
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let search = Search::read(USERS, request.query_string());
    let found = found(&search, |asked, page| people::users(&gateway, asked, page)).await?;
    let configuration = gateway.configuration();
    let template = PeoplePage {
        frame: Frame::of(&gateway, &who, "people"),
        public_url: gateway.public_url(),
        servers: search.servers(&configuration),
        people: named(found.rows, &configuration, |user| &user.server_id),
        courses: Vec::new(),
        is_courses: false,
        has_more: found.has_more,
        search,
    };
    page(StatusCode::OK, &template)
}

/// `GET /admin/people/courses[?search][&server][&page]`
pub(super) async fn show_courses(
    request: HttpRequest,
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let search = Search::read(COURSES, request.query_string());
    let found = found(&search, |asked, page| {
        people::courses(&gateway, asked, page)
    })
    .await?;
    let configuration = gateway.configuration();
    let template = PeoplePage {
        frame: Frame::of(&gateway, &who, "people"),
        public_url: gateway.public_url(),
        servers: search.servers(&configuration),
        people: Vec::new(),
        courses: named(found.rows, &configuration, |course| &course.server_id),
        is_courses: true,
        has_more: found.has_more,
        search,
    };
    page(StatusCode::OK, &template)
}
