//! The tree, built from what brush-parser reads.

use brush_parser::word::{WordPiece, WordPieceWithSource};
use brush_parser::{ParserOptions, TokenizerOptions, ast};

use crate::analysis::limits::{self, MAX_DEPTH};
use crate::analysis::syntax::ansi;
use crate::analysis::syntax::script::{
    Assignment, Connector, Node, Redirect, RedirectKind, Script, Simple, Unit, Word,
};
use crate::analysis::syntax::word::{self, ReadScript, Refusal};

struct Nested;

impl ReadScript for Nested {
    fn read(&self, source: &str, depth: usize) -> Result<Script, Refusal> {
        script(source, depth)
    }
}

/// The commands in `source`, which `depth` substitutions enclose.
pub(crate) fn script(source: &str, depth: usize) -> Result<Script, Refusal> {
    if depth > MAX_DEPTH {
        return Err(Refusal(format!("Substitutions are nested more than {MAX_DEPTH} deep.")));
    }
    let tokens = brush_parser::uncached_tokenize_str(source, &TokenizerOptions::default())
        .map_err(|error| Refusal(format!("It is not complete shell source: {error}.")))?;
    limits::check_tokens(&tokens)?;
    let program = brush_parser::parse_tokens(&tokens, &ParserOptions::default()).map_err(|error| {
        Refusal(format!("It is not shell source that the second parser understands: {error}."))
    })?;
    let reader = Converter { depth };
    let mut items = Vec::new();
    for list in &program.complete_commands {
        items.extend(reader.list(list)?.items);
    }
    Ok(Script { items })
}

/// One word as it was written.
pub(crate) fn word(raw: &str) -> Result<Word, Refusal> {
    word::parse(raw, &Nested, 0)
}

struct Converter {
    depth: usize,
}

impl Converter {
    fn word(&self, raw: &str) -> Result<Word, Refusal> {
        word::parse(raw, &Nested, self.depth)
    }

    fn list(&self, list: &ast::CompoundList) -> Result<Script, Refusal> {
        let mut items = Vec::with_capacity(list.0.len());
        for ast::CompoundListItem(and_or, separator) in &list.0 {
            let last = match separator {
                ast::SeparatorOperator::Async => Connector::Background,
                ast::SeparatorOperator::Sequence => Connector::Sequence,
            };
            let mut pending = self.pipeline(&and_or.first)?;
            for next in &and_or.additional {
                let (connector, pipeline) = match next {
                    ast::AndOr::And(pipeline) => (Connector::And, pipeline),
                    ast::AndOr::Or(pipeline) => (Connector::Or, pipeline),
                };
                items.push((std::mem::replace(&mut pending, self.pipeline(pipeline)?), connector));
            }
            items.push((pending, last));
        }
        Ok(Script { items })
    }

    fn pipeline(&self, pipeline: &ast::Pipeline) -> Result<Node, Refusal> {
        let mut parts =
            pipeline.seq.iter().map(|command| self.command(command)).collect::<Result<Vec<_>, _>>()?;
        match (parts.len(), parts.pop()) {
            (1, Some(only)) => Ok(only),
            (_, Some(last)) => {
                parts.push(last);
                Ok(Node::Pipeline(parts))
            }
            (_, None) => Ok(Node::Simple(Simple::default())),
        }
    }

    fn command(&self, command: &ast::Command) -> Result<Node, Refusal> {
        match command {
            ast::Command::Simple(simple) => Ok(Node::Simple(self.simple(simple)?)),
            ast::Command::Compound(compound, redirects) => {
                self.redirected(self.compound(compound)?, redirects.as_ref())
            }
            ast::Command::Function(function) => {
                let body = self.redirected(self.compound(&function.body.0)?, function.body.1.as_ref())?;
                Ok(Node::Function { name: function.fname.value.clone(), body: Box::new(body) })
            }
            ast::Command::ExtendedTest(test, redirects) => {
                let mut operands = Vec::new();
                self.test(&test.expr, &mut operands)?;
                self.redirected(Node::Test(operands), redirects.as_ref())
            }
        }
    }

    fn redirected(&self, node: Node, redirects: Option<&ast::RedirectList>) -> Result<Node, Refusal> {
        let Some(list) = redirects else { return Ok(node) };
        let redirects =
            list.0.iter().map(|redirect| self.redirect(redirect)).collect::<Result<Vec<_>, _>>()?;
        Ok(Node::Redirected(Box::new(node), redirects))
    }

    fn compound(&self, compound: &ast::CompoundCommand) -> Result<Node, Refusal> {
        use ast::CompoundCommand as C;
        Ok(match compound {
            C::Arithmetic(arithmetic) => Node::Arithmetic(self.arithmetic(&arithmetic.expr)?),
            C::ArithmeticForClause(clause) => {
                let parts = [&clause.initializer, &clause.condition, &clause.updater];
                let expressions = parts
                    .into_iter()
                    .flatten()
                    .map(|part| self.arithmetic(part))
                    .collect::<Result<Vec<_>, _>>()?;
                Node::ArithmeticFor { expressions, body: self.list(&clause.body.list)? }
            }
            C::BraceGroup(group) => Node::Group(self.list(&group.list)?),
            C::Subshell(subshell) => Node::Subshell(self.list(&subshell.list)?),
            C::ForClause(clause) => {
                let values = clause.values.as_ref().map(|words| {
                    words.iter().map(|word| self.word(&word.value)).collect::<Result<Vec<_>, _>>()
                });
                Node::For {
                    variable: clause.variable_name.clone(),
                    values: values.transpose()?,
                    body: self.list(&clause.body.list)?,
                }
            }
            C::CaseClause(clause) => self.case(clause)?,
            C::IfClause(clause) => self.branches(clause)?,
            C::WhileClause(clause) | C::UntilClause(clause) => {
                Node::Loop { condition: self.list(&clause.0)?, body: self.list(&clause.1.list)? }
            }
            C::Coprocess(coprocess) => Node::Coprocess(Box::new(self.command(&coprocess.body)?)),
        })
    }

    fn arithmetic(&self, expression: &ast::UnexpandedArithmeticExpr) -> Result<Word, Refusal> {
        word::parse_body(&expression.value, &Nested, self.depth)
    }

    fn case(&self, clause: &ast::CaseClauseCommand) -> Result<Node, Refusal> {
        let mut branches = Vec::new();
        for item in &clause.cases {
            let patterns =
                item.patterns.iter().map(|word| self.word(&word.value)).collect::<Result<Vec<_>, _>>()?;
            let body = item.cmd.as_ref().map_or_else(|| Ok(Script::default()), |list| self.list(list))?;
            branches.push((patterns, body));
        }
        Ok(Node::Case { value: self.word(&clause.value.value)?, branches })
    }

    fn branches(&self, clause: &ast::IfClauseCommand) -> Result<Node, Refusal> {
        let mut branches = vec![self.list(&clause.then)?];
        for other in clause.elses.iter().flatten() {
            let mut branch = Script::default();
            if let Some(condition) = &other.condition {
                branch.items.extend(self.list(condition)?.items);
            }
            branch.items.extend(self.list(&other.body)?.items);
            branches.push(branch);
        }
        Ok(Node::If { condition: self.list(&clause.condition)?, branches })
    }

    fn test(&self, expression: &ast::ExtendedTestExpr, out: &mut Vec<(Word, bool)>) -> Result<(), Refusal> {
        use ast::{BinaryPredicate as B, ExtendedTestExpr as T};
        match expression {
            T::And(left, right) | T::Or(left, right) => {
                self.test(left, out)?;
                self.test(right, out)?;
            }
            T::Not(inner) | T::Parenthesized(inner) => self.test(inner, out)?,
            T::UnaryTest(predicate, word) => {
                // `-v` evaluates the subscript of an array, which may run a substitution.
                let evaluates = matches!(predicate, ast::UnaryPredicate::ShellVariableIsSetAndAssigned);
                out.push((self.word(&word.value)?, evaluates));
            }
            T::BinaryTest(predicate, left, right) => {
                let arithmetic = matches!(
                    predicate,
                    B::ArithmeticEqualTo
                        | B::ArithmeticNotEqualTo
                        | B::ArithmeticLessThan
                        | B::ArithmeticLessThanOrEqualTo
                        | B::ArithmeticGreaterThan
                        | B::ArithmeticGreaterThanOrEqualTo
                );
                out.push((self.word(&left.value)?, arithmetic));
                out.push((self.word(&right.value)?, arithmetic));
            }
        }
        Ok(())
    }

    fn simple(&self, simple: &ast::SimpleCommand) -> Result<Simple, Refusal> {
        let mut out = Simple::default();
        for item in simple.prefix.iter().flat_map(|prefix| &prefix.0) {
            match item {
                ast::CommandPrefixOrSuffixItem::AssignmentWord(assignment, word) => {
                    out.assignments.push(self.assignment(assignment, &word.value)?);
                }
                other => self.item(other, &mut out)?,
            }
        }
        if let Some(word) = &simple.word_or_name {
            out.words.push(self.word(&word.value)?);
        }
        for item in simple.suffix.iter().flat_map(|suffix| &suffix.0) {
            self.item(item, &mut out)?;
        }
        Ok(out)
    }

    fn item(&self, item: &ast::CommandPrefixOrSuffixItem, out: &mut Simple) -> Result<(), Refusal> {
        use ast::CommandPrefixOrSuffixItem as I;
        match item {
            I::IoRedirect(redirect) => out.redirects.push(self.redirect(redirect)?),
            I::Word(word) => out.words.push(self.word(&word.value)?),
            I::AssignmentWord(assignment, word) => match &assignment.value {
                ast::AssignmentValue::Scalar(_) => out.words.push(self.word(&word.value)?),
                // `declare a=(…)`: the elements keep their expansions, the brackets are part of the word.
                ast::AssignmentValue::Array(_) => {
                    let parsed = self.assignment(assignment, &word.value)?;
                    let units = parsed.elements.into_iter().flat_map(|element| element.units).collect();
                    out.words.push(Word { raw: word.value.clone(), units });
                }
            },
            I::ProcessSubstitution(_, subshell) => out.words.push(self.process(subshell)?),
        }
        Ok(())
    }

    fn process(&self, subshell: &ast::SubshellCommand) -> Result<Word, Refusal> {
        let script = self.list(&subshell.list)?;
        Ok(Word { raw: PROCESS.to_owned(), units: vec![Unit::Process(Box::new(script))] })
    }

    fn assignment(&self, assignment: &ast::Assignment, raw: &str) -> Result<Assignment, Refusal> {
        let mut elements = Vec::new();
        let name = match &assignment.name {
            ast::AssignmentName::VariableName(name) => name.clone(),
            ast::AssignmentName::ArrayElementName(name, index) => {
                elements.push(self.word(index)?);
                name.clone()
            }
        };
        let value = match &assignment.value {
            ast::AssignmentValue::Scalar(word) => Some(self.word(&word.value)?),
            ast::AssignmentValue::Array(members) => {
                for (key, member) in members {
                    elements.extend(key.as_ref().map(|key| self.word(&key.value)).transpose()?);
                    elements.push(self.word(&member.value)?);
                }
                None
            }
        };
        Ok(Assignment { name, value, elements, append: assignment.append, raw: raw.to_owned() })
    }

    fn redirect(&self, redirect: &ast::IoRedirect) -> Result<Redirect, Refusal> {
        use ast::{IoFileRedirectKind as K, IoFileRedirectTarget as T};
        Ok(match redirect {
            ast::IoRedirect::File(descriptor, kind, target) => {
                let target = match target {
                    T::Filename(word) | T::Duplicate(word) => self.word(&word.value)?,
                    T::Fd(number) => Word::literal(&number.to_string()),
                    T::ProcessSubstitution(_, subshell) => self.process(subshell)?,
                };
                let kind = match kind {
                    K::Read => RedirectKind::Read,
                    K::Write | K::Append | K::Clobber => RedirectKind::Write,
                    K::ReadAndWrite => RedirectKind::ReadWrite,
                    K::DuplicateInput | K::DuplicateOutput => RedirectKind::Duplicate,
                };
                Redirect { kind, target, descriptor: *descriptor }
            }
            ast::IoRedirect::HereDocument(descriptor, document) => {
                let target = if document.requires_expansion {
                    word::parse_body(&document.doc.value, &Nested, self.depth)?
                } else {
                    Word::literal(&document.doc.value)
                };
                Redirect { kind: RedirectKind::HereDocument, target, descriptor: *descriptor }
            }
            ast::IoRedirect::HereString(descriptor, word) => {
                let target = self.word(&word.value)?;
                Redirect { kind: RedirectKind::HereString, target, descriptor: *descriptor }
            }
            ast::IoRedirect::OutputAndError(word, _) => {
                let target = self.word(&word.value)?;
                Redirect { kind: RedirectKind::Write, target, descriptor: None }
            }
        })
    }
}

/// The text of a word after brush-parser's own removal of quotes; `None` if it holds an expansion.
pub(crate) fn unquoted(raw: &str) -> Option<String> {
    let pieces = brush_parser::word::parse(raw, &ParserOptions::default()).ok()?;
    let mut out = String::with_capacity(raw.len());
    append(&pieces, &mut out)?;
    Some(out)
}

fn append(pieces: &[WordPieceWithSource], out: &mut String) -> Option<()> {
    for item in pieces {
        match &item.piece {
            WordPiece::Text(text) | WordPiece::SingleQuotedText(text) => out.push_str(text),
            WordPiece::EscapeSequence(text) => out.push_str(text[1..].trim_start_matches('\n')),
            WordPiece::AnsiCQuotedText(text) => out.push_str(&ansi::decode(&format!("{text}'"))?.0),
            WordPiece::DoubleQuotedSequence(inner) | WordPiece::GettextDoubleQuotedSequence(inner) => {
                append(inner, out)?;
            }
            WordPiece::TildeExpansion(_)
            | WordPiece::ParameterExpansion(_)
            | WordPiece::CommandSubstitution(_)
            | WordPiece::BackquotedCommandSubstitution(_)
            | WordPiece::ArithmeticExpression(_) => return None,
        }
    }
    Some(())
}

/// Stands for the text of a process substitution, of which only the commands inside are kept.
pub(crate) const PROCESS: &str = "<()";
