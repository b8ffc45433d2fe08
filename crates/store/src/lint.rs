//! Reads every registered statement and says what must not be in one.
//!
//! The tenant rule: whoever names a table with `org_id` also says whose rows,
//! by `org_id = $n` (or by equality with the `org_id` of a table for which it
//! is said) among the conditions that always hold. `OR` does not count. An
//! insert names the column.
//!
//! The others are about the two engines: `LIKE` folds case on one only,
//! the clock and chance come from the program, and the order of NULL differs.

use std::{
    collections::{HashMap, HashSet},
    ops::ControlFlow,
};

use sqlparser::{
    ast::{
        AlterTableOperation, AssignmentTarget, BinaryOperator, ColumnDef, ColumnOption, Expr, FromTable, Function,
        JoinConstraint, JoinOperator, ObjectName, OrderByExpr, OrderByKind, Query, Select, SetExpr, Statement,
        TableConstraint, TableFactor, TableObject, TableWithJoins, UpdateTableFromKind, Value, Visit, Visitor,
    },
    dialect::{Dialect, PostgreSqlDialect, SQLiteDialect},
    parser::Parser,
};

use crate::{Engine, Migration, Sql, ddl, registered};

/// A statement that may do without `org_id = $n`, and why.
#[derive(Clone, Copy, Debug)]
pub struct Allow {
    /// Start of the Rust module path the statement stands in.
    pub module: &'static str,
    /// Part of the statement's text; empty for all of the module.
    pub contains: &'static str,
    pub reason: &'static str,
}

/// The store's own: a worker serves all organisations.
const OWN: &[Allow] = &[Allow {
    module: "store::jobs",
    contains: "",
    reason: "jobs are found by id, key and time, for all organisations",
}];

/// What the migrations say about the tables.
#[derive(Debug, Default)]
pub struct Schema {
    /// Tables with a column `org_id`.
    tenant: HashSet<String>,
    /// `table.column` of those that may be NULL.
    nullable: HashSet<String>,
}

impl Schema {
    pub fn read(migrations: &[Migration]) -> Self {
        let mut schema = Self::default();
        for migration in crate::MIGRATIONS.iter().chain(migrations) {
            for text in ddl::expand(migration.sql, Engine::Postgres) {
                schema.statement(&text).unwrap_or_else(|e| panic!("{}: {e}: {text}", migration.name));
            }
        }
        schema
    }

    fn statement(&mut self, text: &str) -> Result<(), String> {
        for statement in parse(&PostgreSqlDialect {}, text)? {
            match statement {
                Statement::CreateTable(table) => {
                    let name = last(&table.name);
                    table.columns.iter().for_each(|def| self.column(&name, def));
                    for constraint in &table.constraints {
                        if let TableConstraint::PrimaryKey(key) = constraint {
                            for part in &key.columns {
                                self.nullable.remove(&format!("{name}.{}", part.column.expr));
                            }
                        }
                    }
                }
                Statement::AlterTable(alter) => {
                    for operation in &alter.operations {
                        if let AlterTableOperation::AddColumn { column_def, .. } = operation {
                            self.column(&last(&alter.name), column_def);
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn column(&mut self, table: &str, def: &ColumnDef) {
        let name = def.name.value.as_str();
        if name == "org_id" {
            self.tenant.insert(table.to_owned());
        }
        let filled = def.options.iter().any(|o| {
            matches!(o.option, ColumnOption::NotNull | ColumnOption::PrimaryKey(_) | ColumnOption::Generated { .. })
        });
        if !filled {
            self.nullable.insert(format!("{table}.{name}"));
        }
    }

    pub fn tenant_tables(&self) -> impl Iterator<Item = &str> {
        self.tenant.iter().map(String::as_str)
    }
}

/// All registered statements whose module path starts with one of `modules`
/// (all of them if empty). Each finding is one line.
pub fn check(migrations: &[Migration], allowed: &[Allow], modules: &[&str]) -> Result<(), Vec<String>> {
    let schema = Schema::read(migrations);
    let mut findings = Vec::new();
    for sql in registered() {
        if modules.is_empty() || modules.iter().any(|m| sql.module.starts_with(m)) {
            findings.extend(check_sql(&schema, sql, allowed));
        }
    }
    for allow in allowed {
        let used = registered().any(|sql| matches(allow, sql));
        if !used && !allow.reason.is_empty() && modules.is_empty() {
            findings
                .push(format!("the exception for {} {:?} fits no statement any more", allow.module, allow.contains));
        }
        if allow.reason.is_empty() {
            findings.push(format!("the exception for {} has no reason", allow.module));
        }
    }
    if findings.is_empty() { Ok(()) } else { Err(findings) }
}

/// Findings in the migrations themselves: words outside of the vocabulary of
/// [`ddl`] that mean something else, or nothing, on one of the engines.
pub fn check_schema(migrations: &[Migration]) -> Vec<String> {
    const WORDS: &[&str] = &[
        "SERIAL",
        "BIGSERIAL",
        "SMALLSERIAL",
        "AUTOINCREMENT",
        "CURRENT_TIMESTAMP",
        "TIMESTAMP",
        "TIMESTAMPTZ",
        "NOW",
        "DATE",
        "JSONB",
        "JSON",
        "NUMERIC",
        "VARCHAR",
        "DEFERRABLE",
        "DEFERRED",
        "TRIGGER",
        "LIKE",
        "COLLATE",
    ];
    let mut findings = Vec::new();
    for migration in migrations {
        for (piece, part) in crate::sql::pieces(migration.sql) {
            if piece == crate::sql::Piece::Opaque {
                continue;
            }
            let words = part.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            for word in words.filter(|word| WORDS.contains(&word.to_ascii_uppercase().as_str())) {
                findings.push(format!("{}: {word} is not in the vocabulary of migrations", migration.name));
            }
        }
    }
    findings
}

fn matches(allow: &Allow, sql: &Sql) -> bool {
    sql.module.starts_with(allow.module)
        && [Engine::Sqlite, Engine::Postgres].iter().any(|e| sql.source(*e).contains(allow.contains))
}

fn check_sql(schema: &Schema, sql: &Sql, allowed: &[Allow]) -> Vec<String> {
    let excused = OWN.iter().chain(allowed).any(|allow| matches(allow, sql));
    let (sqlite, postgres) = (sql.source(Engine::Sqlite), sql.source(Engine::Postgres));
    let mut findings = Vec::new();
    if !postgres.is_empty() {
        findings.extend(check_text(schema, &PostgreSqlDialect {}, postgres, excused));
    }
    if !sqlite.is_empty() && sqlite != postgres {
        findings.extend(check_text(schema, &SQLiteDialect {}, sqlite, excused));
    }
    findings.sort();
    findings.dedup();
    findings.into_iter().map(|finding| format!("{sql}: {finding}")).collect()
}

/// Findings of one text.
pub fn check_text(schema: &Schema, dialect: &dyn Dialect, text: &str, excused: bool) -> Vec<String> {
    if text.trim_start().get(..6).is_some_and(|word| word.eq_ignore_ascii_case("pragma")) {
        return Vec::new();
    }
    let statements = match parse(dialect, text) {
        Ok(statements) => statements,
        Err(e) => return vec![format!("cannot be read: {e}")],
    };
    let mut lint = Lint { schema, findings: Vec::new(), tenants: Tenants::default() };
    for statement in &statements {
        let _ = statement.visit(&mut lint);
        lint.change(statement);
    }
    if !excused {
        let unbound = lint.tenants.unbound();
        lint.findings.extend(unbound.into_iter().map(|table| format!("{table} is used without org_id = $n")));
    }
    lint.findings
}

fn parse(dialect: &dyn Dialect, text: &str) -> Result<Vec<Statement>, String> {
    Parser::parse_sql(dialect, text).map_err(|e| e.to_string())
}

fn last(name: &ObjectName) -> String {
    name.0.last().map(|part| part.to_string().trim_matches('"').to_ascii_lowercase()).unwrap_or_default()
}

/// Uses of tenant tables in one statement, and what their `org_id` equals.
#[derive(Default)]
struct Tenants {
    /// Table and alias of each use.
    uses: Vec<(String, String)>,
    bound: HashSet<String>,
    equal: Vec<(String, String)>,
}

impl Tenants {
    fn unbound(&mut self) -> Vec<String> {
        loop {
            let more: Vec<String> = self
                .equal
                .iter()
                .filter_map(|(a, b)| match (self.bound.contains(a), self.bound.contains(b)) {
                    (true, false) => Some(b.clone()),
                    (false, true) => Some(a.clone()),
                    _ => None,
                })
                .collect();
            if more.is_empty() {
                break;
            }
            self.bound.extend(more);
        }
        self.uses.iter().filter(|(_, alias)| !self.bound.contains(alias)).map(|(table, _)| table.clone()).collect()
    }
}

struct Lint<'a> {
    schema: &'a Schema,
    findings: Vec<String>,
    tenants: Tenants,
}

impl Lint<'_> {
    fn found(&mut self, text: impl Into<String>) {
        self.findings.push(text.into());
    }

    /// Tables of a FROM, their aliases, and the conditions of inner joins.
    fn tables<'q>(from: &'q [TableWithJoins], conditions: &mut Vec<&'q Expr>) -> Vec<(String, String)> {
        let mut out = Vec::new();
        let mut add = |factor: &TableFactor| {
            if let TableFactor::Table { name, alias, args: None, .. } = factor {
                let table = last(name);
                let alias = alias.as_ref().map_or_else(|| table.clone(), |a| a.name.value.to_ascii_lowercase());
                out.push((table, alias));
            }
        };
        for item in from {
            add(&item.relation);
            for join in &item.joins {
                add(&join.relation);
                // In an outer join the condition says which rows are joined,
                // so for the joined table it holds as well.
                if let JoinOperator::Join(JoinConstraint::On(on))
                | JoinOperator::Inner(JoinConstraint::On(on))
                | JoinOperator::Left(JoinConstraint::On(on))
                | JoinOperator::LeftOuter(JoinConstraint::On(on)) = &join.join_operator
                {
                    conditions.push(on);
                }
            }
        }
        out
    }

    fn block(&mut self, tables: &[(String, String)], conditions: &[&Expr]) {
        let tenants: Vec<_> = tables.iter().filter(|(table, _)| self.schema.tenant.contains(table)).cloned().collect();
        let mut all = Vec::new();
        for condition in conditions {
            conjuncts(condition, &mut all);
        }
        for condition in all {
            let Expr::BinaryOp { left, op: BinaryOperator::Eq, right } = condition else { continue };
            let (left, right) = (side(left, &tenants), side(right, &tenants));
            match (left, right) {
                (Side::Org(alias), Side::Parameter) | (Side::Parameter, Side::Org(alias)) => {
                    self.tenants.bound.insert(alias);
                }
                (Side::Org(a), Side::Org(b)) => self.tenants.equal.push((a, b)),
                _ => {}
            }
        }
        self.tenants.uses.extend(tenants);
    }

    /// What changes rows, as far as the visitor does not say it.
    fn change(&mut self, statement: &Statement) {
        let mut conditions = Vec::new();
        match statement {
            Statement::Insert(insert) => {
                let TableObject::TableName(name) = &insert.table else { return };
                let table = last(name);
                let named = insert.columns.iter().any(|column| last(column) == "org_id");
                if self.schema.tenant.contains(&table) && !named {
                    self.tenants.uses.push((table.clone(), format!("insert {table}")));
                }
            }
            Statement::Update(update) => {
                let mut tables = Self::tables(std::slice::from_ref(&update.table), &mut conditions);
                if let Some(UpdateTableFromKind::AfterSet(from) | UpdateTableFromKind::BeforeSet(from)) = &update.from {
                    tables.extend(Self::tables(from, &mut conditions));
                }
                conditions.extend(&update.selection);
                let moves = update
                    .assignments
                    .iter()
                    .any(|a| matches!(&a.target, AssignmentTarget::ColumnName(name) if last(name) == "org_id"));
                if moves {
                    self.found("a row never changes its org_id");
                }
                self.block(&tables, &conditions);
            }
            Statement::Delete(delete) => {
                let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
                let mut tables = Self::tables(from, &mut conditions);
                if let Some(using) = &delete.using {
                    tables.extend(Self::tables(using, &mut conditions));
                }
                conditions.extend(&delete.selection);
                self.block(&tables, &conditions);
            }
            _ => {}
        }
    }

    fn order(&mut self, by: &OrderByExpr, tables: &HashMap<String, String>) {
        if by.options.nulls_first.is_some() {
            return;
        }
        let nullable = |table: &str, column: &str| self.schema.nullable.contains(&format!("{table}.{column}"));
        let bad = match &by.expr {
            Expr::Identifier(column) => tables.values().any(|table| nullable(table, &column.value)),
            Expr::CompoundIdentifier(parts) if parts.len() == 2 => {
                tables.get(&parts[0].value).is_some_and(|table| nullable(table, &parts[1].value))
            }
            _ => false,
        };
        if bad {
            self.found(format!("ORDER BY {} may be NULL, say NULLS FIRST or LAST", by.expr));
        }
    }

    fn function(&mut self, function: &Function) {
        let name = last(&function.name);
        match name.as_str() {
            "now"
            | "current_timestamp"
            | "current_date"
            | "current_time"
            | "localtimestamp"
            | "statement_timestamp"
            | "datetime"
            | "date"
            | "strftime"
            | "unixepoch"
            | "julianday" => {
                self.found(format!("{name}(): time comes from the program"));
            }
            "random" | "randomblob" | "gen_random_uuid" => {
                self.found(format!("{name}(): randomness comes from the program"));
            }
            "lower" | "upper" => self.found(format!("{name}() folds ASCII only on one engine")),
            _ => {}
        }
    }
}

enum Side {
    Org(String),
    Parameter,
    Other,
}

fn side(expr: &Expr, tenants: &[(String, String)]) -> Side {
    match expr {
        Expr::Nested(inner) => side(inner, tenants),
        Expr::Value(value) if matches!(value.value, Value::Placeholder(_)) => Side::Parameter,
        Expr::Identifier(name) if name.value.eq_ignore_ascii_case("org_id") => match tenants {
            [(_, alias)] => Side::Org(alias.clone()),
            _ => Side::Other,
        },
        Expr::CompoundIdentifier(parts) => match parts.as_slice() {
            [table, column] if column.value.eq_ignore_ascii_case("org_id") => {
                Side::Org(table.value.to_ascii_lowercase())
            }
            _ => Side::Other,
        },
        _ => Side::Other,
    }
}

/// The conditions that hold for every row, whatever the others say.
fn conjuncts<'q>(expr: &'q Expr, out: &mut Vec<&'q Expr>) {
    match expr {
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            conjuncts(left, out);
            conjuncts(right, out);
        }
        Expr::Nested(inner) => conjuncts(inner, out),
        _ => out.push(expr),
    }
}

impl Visitor for Lint<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        if let (SetExpr::Select(select), Some(order)) = (query.body.as_ref(), &query.order_by)
            && let OrderByKind::Expressions(all) = &order.kind
        {
            let tables = Self::tables(&select.from, &mut Vec::new());
            let tables = tables.into_iter().map(|(table, alias)| (alias, table)).collect();
            for by in all {
                self.order(by, &tables);
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        let mut conditions = Vec::new();
        let tables = Self::tables(&select.from, &mut conditions);
        conditions.extend(&select.selection);
        self.block(&tables, &conditions);
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Like { .. } | Expr::ILike { .. } => self.found("LIKE folds case on one engine only"),
            Expr::Function(function) => self.function(function),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests;
