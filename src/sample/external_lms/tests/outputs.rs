//! What the gateway asks about one learner: outputs and the portfolio.

use super::*;

const POSTS: &str = "learner.number.of.posts";
const WORDS: &str = "learner.number.of.words";

impl Site {
    async fn output(&self, module: &str, id: u64, name: &str, un: &str) -> String {
        let method = format!("output&oname={name}&extToolContentID={id}");
        let answer = self.call(module, &method, un).await;
        assert_eq!(answer.status(), 200);
        answer.text().await.unwrap()
    }

    async fn portfolio(&self, module: &str, id: u64, un: &str) -> String {
        let method = format!("export_portfolio&extToolContentID={id}");
        let answer = self.call(module, &method, un).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
        answer.text().await.unwrap()
    }
}

#[actix_web::test]
async fn a_forum_counts_the_posts_and_words_of_one_learner() {
    let site = site();
    site.author_forum(&enc(UPDATE)).await;
    // Two blanks have an empty word between them; a line end is no blank.
    for (un, message) in [
        ("Anna", "My fern"),
        ("Ben", "Cactus"),
        ("Anna", "It  is\ngreen"),
    ] {
        site.write(501, un, message).await;
    }
    assert_eq!(site.output("forum", 501, POSTS, "ANNA").await, "2");
    assert_eq!(site.output("forum", 501, WORDS, "Anna").await, "5");
    assert_eq!(site.output("forum", 501, WORDS, "Ben").await, "1");
}

#[actix_web::test]
async fn what_nobody_knows_is_0() {
    let site = site();
    site.author_forum(&enc(UPDATE)).await;
    site.write(501, "Anna", "Fern").await;
    for (module, id, name, un) in [
        ("forum", 501, "learner.number.of.leaves", "Anna"),
        ("forum", 501, "", "Anna"),
        ("forum", 501, POSTS, "Ben"),
        ("forum", 77, POSTS, "Anna"),
        ("quiz", 501, POSTS, "Anna"),
    ] {
        let output = site.output(module, id, name, un).await;
        assert_eq!(output, "0", "{module} {id} {name} {un}");
    }
}

#[actix_web::test]
async fn a_quiz_answers_the_grade_whatever_is_asked() {
    let site = site();
    let id = site.author_quiz().await;
    site.answer_half_right(id, "Anna").await;
    for name in ["learner.percentage.grade", POSTS, ""] {
        assert_eq!(site.output("quiz", id, name, "Anna").await, "50");
        assert_eq!(site.output("quiz", id, name, "Ben").await, "0");
    }
}

#[actix_web::test]
async fn a_portfolio_holds_a_learners_own_posts_and_needs_no_other_file() {
    let site = site();
    site.author_forum(&enc(UPDATE)).await;
    site.write(501, "Anna", "<b>Fern</b>\nin a pot").await;
    site.write(501, "Ben", "Cactus").await;
    let page = site.portfolio("forum", 501, "Anna").await;
    assert!(page.contains("&#60;b&#62;Fern&#60;/b&#62;<br>in a pot<br>"));
    for foreign in ["Cactus", "<script", "<link", "src=", "href="] {
        assert!(!page.contains(foreign), "{foreign}");
    }
}

#[actix_web::test]
async fn a_portfolio_holds_answers_and_what_would_have_been_right() {
    let site = site();
    let id = site.author_quiz().await;
    site.answer_half_right(id, "Anna").await;
    let page = site.portfolio("quiz", id, "Anna").await;
    for words in [
        "50 %: 1 of 2 right",
        "<h2>1 + 1</h2>\n<p>2: right</p>",
        "<h2>2 + 2</h2>\n<p>3: wrong; right is: 4</p>",
    ] {
        assert!(page.contains(words), "{words} in {page}");
    }
}

#[actix_web::test]
async fn a_portfolio_without_anything_says_so_and_one_of_nothing_is_missing() {
    let site = site();
    let id = site.author_quiz().await;
    let page = site.portfolio("quiz", id, "Anna").await;
    assert!(page.contains("There is nothing yet."));
    for (module, id) in [("quiz", 77), ("forum", id)] {
        let method = format!("export_portfolio&extToolContentID={id}");
        assert_eq!(site.call(module, &method, "Anna").await.status(), 404);
    }
}
