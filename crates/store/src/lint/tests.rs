use super::*;

const TABLES: &[Migration] = &[Migration::new(
    "20260103_000000_lint",
    "CREATE TABLE members (id ID PRIMARY KEY, org_id ID NOT NULL, name TEXT NOT NULL, left_at INT);
     CREATE TABLE departments (org_id ID NOT NULL, id ID NOT NULL, parent ID, PRIMARY KEY (org_id, id));
     CREATE TABLE users (id ID PRIMARY KEY, email TEXT);",
)];

fn findings(text: &str) -> Vec<String> {
    check_text(&Schema::read(TABLES), &PostgreSqlDialect {}, text, false)
}

fn good(text: &str) {
    assert_eq!(findings(text), Vec::<String>::new(), "{text}");
}

fn bad(text: &str, part: &str) {
    let found = findings(text);
    assert!(found.iter().any(|finding| finding.contains(part)), "{text}: {found:?}");
}

#[test]
fn a_tenant_table_is_asked_for_one_organisation() {
    good("SELECT name FROM members WHERE org_id = $1 AND id = $2");
    good("SELECT m.name FROM members m WHERE $1 = m.org_id");
    good("SELECT id FROM users WHERE id = $1");
    good("INSERT INTO members (id, org_id, name) VALUES ($1, $2, $3)");
    good("UPDATE members SET name = $3 WHERE id = $1 AND org_id = $2");
    good("DELETE FROM members WHERE org_id = $1");
    bad("SELECT name FROM members WHERE id = $1", "members is used without org_id");
    bad("INSERT INTO members (id, name) VALUES ($1, $2)", "members is used without org_id");
    bad("INSERT INTO members SELECT * FROM users", "members is used without org_id");
    bad("UPDATE members SET name = $2 WHERE id = $1", "members is used without org_id");
    bad("DELETE FROM members WHERE id = $1", "members is used without org_id");
    bad("DELETE FROM members", "members is used without org_id");
}

#[test]
fn a_condition_that_need_not_hold_does_not_count() {
    bad("SELECT name FROM members WHERE org_id = $1 OR id = $2", "members");
    bad("SELECT name FROM members WHERE NOT org_id = $1", "members");
    bad("SELECT name FROM members WHERE org_id <> $1", "members");
    bad("SELECT name FROM members WHERE org_id = org_id", "members");
    bad("SELECT name FROM members WHERE org_id IN ($1, $2)", "members");
    bad("SELECT $1 = org_id FROM members", "members");
}

#[test]
fn joined_tables_are_bound_through_one_another() {
    good("SELECT 1 FROM members m JOIN departments d ON d.org_id = m.org_id WHERE m.org_id = $1");
    good("SELECT 1 FROM members m LEFT JOIN departments d ON d.org_id = m.org_id AND d.id = $2 WHERE m.org_id = $1");
    bad("SELECT 1 FROM members m JOIN departments d ON d.id = m.id WHERE m.org_id = $1", "departments");
    bad("SELECT 1 FROM members m JOIN departments d ON d.org_id = m.org_id", "members");
    bad("SELECT 1 FROM members, departments WHERE org_id = $1", "members");
}

#[test]
fn subqueries_and_common_tables_are_looked_into() {
    bad("SELECT id FROM users WHERE id IN (SELECT id FROM members)", "members");
    bad("WITH x AS (SELECT id FROM members) SELECT id FROM x", "members");
    bad("SELECT (SELECT COUNT(*) FROM members) FROM users", "members");
    bad("INSERT INTO users (id) SELECT id FROM members", "members");
    bad("SELECT id FROM users UNION SELECT id FROM members", "members");
    bad("DELETE FROM users WHERE id IN (SELECT id FROM members)", "members");
    good("SELECT id FROM users WHERE id IN (SELECT id FROM members WHERE org_id = $1)");
    good(
        "SELECT m.id FROM members m WHERE m.org_id = $1 AND EXISTS (SELECT 1 FROM departments d WHERE d.org_id = m.org_id)",
    );
}

#[test]
fn a_row_never_moves_to_another_organisation() {
    bad("UPDATE members SET org_id = $2 WHERE org_id = $1", "never changes");
}

#[test]
fn what_the_engines_do_differently_is_refused() {
    bad("SELECT id FROM users WHERE email LIKE 'a%'", "LIKE");
    bad("SELECT id FROM users WHERE email ILIKE $1", "LIKE");
    bad("SELECT now()", "now()");
    bad("SELECT CURRENT_TIMESTAMP", "current_timestamp");
    bad("SELECT id FROM users ORDER BY random()", "random()");
    bad("SELECT gen_random_uuid()", "gen_random_uuid()");
    bad("SELECT lower(email) FROM users", "lower()");
    bad("SELECT id FROM users WHERE", "cannot be read");
}

#[test]
fn an_order_by_what_may_be_null_says_where_null_goes() {
    bad("SELECT id FROM users ORDER BY email", "may be NULL");
    bad("SELECT u.id FROM users u ORDER BY u.email DESC, u.id", "may be NULL");
    bad("SELECT id FROM users WHERE id IN (SELECT id FROM users ORDER BY email LIMIT 1)", "may be NULL");
    good("SELECT id FROM users ORDER BY email NULLS LAST, id");
    good("SELECT id FROM departments WHERE org_id = $1 ORDER BY org_id, id");
}

#[test]
fn a_schema_has_no_serial_and_no_clock_of_its_own() {
    let wrong = |sql| check_schema(&[Migration::new("20260104_000000_lint", sql)]);
    assert!(wrong("CREATE TABLE a (id SERIAL PRIMARY KEY)").iter().any(|f| f.contains("SERIAL")));
    assert!(wrong("CREATE TABLE a (id BIGSERIAL)").iter().any(|f| f.contains("SERIAL")));
    assert!(wrong("CREATE TABLE a (at INT DEFAULT CURRENT_TIMESTAMP)").iter().any(|f| f.contains("CURRENT_TIMESTAMP")));
    assert!(wrong("CREATE TABLE a (at TIMESTAMP)").iter().any(|f| f.contains("TIMESTAMP")));
    assert!(wrong("CREATE TABLE a (id ID PRIMARY KEY, at INT)").is_empty());
}

#[test]
fn the_stores_own_statements_pass() {
    assert_eq!(check(&[], &[], &["store::"]), Ok(()));
    assert!(check_schema(crate::MIGRATIONS).is_empty());
}

#[test]
fn exceptions_need_a_reason_and_a_use() {
    let allow = |contains, reason| [Allow { module: "store::meta", contains, reason }];
    assert!(check(&[], &allow("epoch", ""), &["store::"]).is_err());
    assert!(check(&[], &allow("no such text", "why not"), &[]).is_err());
}
