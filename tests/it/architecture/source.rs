//! Reads Rust sources as a tree of modules, and finds every path that each of them names.
//!
//! Paths are resolved to absolute ones: `use` in all its forms, `self`, `super::super`, renamed imports, full paths in bodies, and paths
//! within macros. Items that are compiled only for tests are left out. Macros are not expanded and types are not inferred.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, UseTree};

/// A module with everything that it names.
#[derive(Debug)]
pub struct Module {
    /// Its path within the crate: `tui`, `tui::update`; empty for the crate root.
    pub path: String,
    pub file: PathBuf,
    pub names: Vec<Name>,
}

/// A path that a module uses, and the line where it is used.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Name {
    /// Absolute: `crate::chat::Seq`, `tokio::spawn`. Each `.await` and each `async` is recorded as `.await`.
    pub path: String,
    pub line: usize,
}

/// Reads a crate from its root file; module files are followed as the compiler does.
pub fn read(root: &Path) -> Vec<Module> {
    let mut modules = Vec::new();
    read_file(root, "", &mut modules);
    modules
}

/// The paths of all modules.
pub fn paths(modules: &[Module]) -> BTreeSet<String> {
    modules.iter().map(|module| module.path.clone()).collect()
}

/// Reads one module from a text instead of a file.
pub fn read_text(path: &str, text: &str) -> Vec<Module> {
    let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut modules = Vec::new();
    read_items(path, Path::new("snippet.rs"), &file.items, &mut modules);
    modules
}

fn read_file(path: &Path, module: &str, modules: &mut Vec<Module>) {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    for child in read_items(module, path, &file.items, modules) {
        let root = path
            .file_stem()
            .is_some_and(|it| it == "lib" || it == "main");
        let directory = if root {
            path.parent().unwrap().to_owned()
        } else {
            path.with_extension("")
        };
        let below = child.rsplit("::").next().unwrap();
        read_file(&directory.join(format!("{below}.rs")), &child, modules);
    }
}

/// Adds a module and its inline child modules. Returns the paths of the child modules that have their own files.
fn read_items(module: &str, file: &Path, items: &[Item], modules: &mut Vec<Module>) -> Vec<String> {
    let mut reader = Reader {
        module: module.to_owned(),
        imports: BTreeMap::new(),
        children: BTreeSet::new(),
        names: Vec::new(),
    };
    let shipped: Vec<&Item> = items
        .iter()
        .filter(|item| !is_test(attributes(item)))
        .collect();
    for item in &shipped {
        if let Item::Mod(child) = item {
            reader.children.insert(child.ident.to_string());
        }
    }
    let mut imports = Imports { found: Vec::new() };
    for item in &shipped {
        imports.visit_item(item);
    }
    for (tree, line) in &imports.found {
        reader.import(&mut Vec::new(), tree, *line);
    }
    let mut files = Vec::new();
    for item in &shipped {
        let Item::Mod(child) = item else {
            reader.visit_item(item);
            continue;
        };
        let path = below(module, &child.ident.to_string());
        match &child.content {
            Some((_, items)) => files.extend(read_items(&path, file, items, modules)),
            None => files.push(path),
        }
    }
    modules.push(Module {
        path: module.to_owned(),
        file: file.to_owned(),
        names: reader.names,
    });
    files
}

fn below(module: &str, name: &str) -> String {
    if module.is_empty() {
        name.to_owned()
    } else {
        format!("{module}::{name}")
    }
}

/// Whether an item is compiled only for tests.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let is_conditional = attribute.path().is_ident("cfg");
        let is_test_function = attribute.path().is_ident("test");
        is_test_function
            || (is_conditional
                && attribute
                    .meta
                    .require_list()
                    .is_ok_and(|list| needs_test(list.tokens.clone())))
    })
}

/// Whether a condition names `test`, and not only within `not(…)`.
fn needs_test(condition: TokenStream) -> bool {
    let mut is_negated = false;
    for token in condition {
        match token {
            TokenTree::Ident(word) => {
                if word == "test" {
                    return true;
                }
                is_negated = word == "not";
            }
            TokenTree::Group(group) if !is_negated && needs_test(group.stream()) => return true,
            _ => {}
        }
    }
    false
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(it) => &it.attrs,
        Item::Enum(it) => &it.attrs,
        Item::ExternCrate(it) => &it.attrs,
        Item::Fn(it) => &it.attrs,
        Item::ForeignMod(it) => &it.attrs,
        Item::Impl(it) => &it.attrs,
        Item::Macro(it) => &it.attrs,
        Item::Mod(it) => &it.attrs,
        Item::Static(it) => &it.attrs,
        Item::Struct(it) => &it.attrs,
        Item::Trait(it) => &it.attrs,
        Item::TraitAlias(it) => &it.attrs,
        Item::Type(it) => &it.attrs,
        Item::Union(it) => &it.attrs,
        Item::Use(it) => &it.attrs,
        _ => &[],
    }
}

/// Finds every `use`, also within functions.
struct Imports<'a> {
    found: Vec<(&'a UseTree, usize)>,
}

impl<'a> Visit<'a> for Imports<'a> {
    fn visit_item(&mut self, item: &'a Item) {
        if is_test(attributes(item)) || matches!(item, Item::Mod(_)) {
            return;
        }
        visit::visit_item(self, item);
    }

    fn visit_item_use(&mut self, item: &'a syn::ItemUse) {
        self.found
            .push((&item.tree, item.use_token.span.start().line));
    }
}

struct Reader {
    module: String,
    /// The imported names, each with its absolute path.
    imports: BTreeMap<String, String>,
    children: BTreeSet<String>,
    names: Vec<Name>,
}

impl Reader {
    fn import(&mut self, before: &mut Vec<String>, tree: &UseTree, line: usize) {
        let depth = before.len();
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.import(before, &path.tree, line);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(before, tree, line);
                }
            }
            UseTree::Name(name) => self.import_one(before, &name.ident, &name.ident, line),
            UseTree::Rename(name) => self.import_one(before, &name.ident, &name.rename, line),
            UseTree::Glob(_) => {
                before.push("*".to_owned());
                let path = self.resolve(before);
                self.names.push(Name { path, line });
            }
        }
        before.truncate(depth);
    }

    fn import_one(
        &mut self,
        before: &[String],
        name: &syn::Ident,
        known_as: &syn::Ident,
        line: usize,
    ) {
        let mut path = before.to_vec();
        // `use a::b::{self}` means `a::b`.
        if name != "self" {
            path.push(name.to_string());
        }
        let known_as = match path.last() {
            Some(last) if known_as == "self" => last.clone(),
            _ => known_as.to_string(),
        };
        let path = self.resolve(&path);
        self.imports.insert(known_as, path.clone());
        self.names.push(Name { path, line });
    }

    /// Returns the absolute path for a path written in this module.
    fn resolve(&self, path: &[String]) -> String {
        let mut module: Vec<&str> = self
            .module
            .split("::")
            .filter(|it| !it.is_empty())
            .collect();
        let mut rest = path;
        let mut is_within = false;
        while let Some(first) = rest.first() {
            match first.as_str() {
                "crate" | "tchat" => module.clear(),
                "self" => {}
                "super" => drop(module.pop()),
                _ => break,
            }
            is_within = true;
            rest = &rest[1..];
        }
        if let (false, Some(first)) = (is_within, rest.first()) {
            if let Some(known) = self.imports.get(first) {
                let rest = rest[1..].iter().map(String::as_str);
                return std::iter::once(known.as_str())
                    .chain(rest)
                    .collect::<Vec<_>>()
                    .join("::");
            }
            is_within = self.children.contains(first);
        }
        if !is_within {
            return path.join("::");
        }
        let all = std::iter::once("crate")
            .chain(module)
            .chain(rest.iter().map(String::as_str));
        all.collect::<Vec<_>>().join("::")
    }

    fn name(&mut self, path: &[String], span: Span) {
        // A single identifier is either local or imported, and imports are recorded already.
        if path.len() < 2 {
            return;
        }
        let path = self.resolve(path);
        let line = span.start().line;
        self.names.push(Name { path, line });
    }

    /// Finds paths in the arguments of a macro.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        let mut is_after_dot = false;
        let mut at = Span::call_site();
        for token in tokens {
            match token {
                TokenTree::Ident(word) => {
                    if is_after_dot && word == "await" {
                        self.waits(word.span());
                    }
                    if colons != 2 {
                        self.name(&std::mem::take(&mut path), at);
                        at = word.span();
                    }
                    path.push(word.to_string());
                    (colons, is_after_dot) = (0, false);
                }
                TokenTree::Punct(mark) if mark.as_char() == ':' => colons += 1,
                other => {
                    self.name(&std::mem::take(&mut path), at);
                    colons = 0;
                    is_after_dot =
                        matches!(&other, TokenTree::Punct(mark) if mark.as_char() == '.');
                    if let TokenTree::Group(group) = other {
                        self.tokens(group.stream());
                    }
                }
            }
        }
        self.name(&path, at);
    }

    fn waits(&mut self, span: Span) {
        self.names.push(Name {
            path: ".await".to_owned(),
            line: span.start().line,
        });
    }
}

impl<'a> Visit<'a> for Reader {
    fn visit_item(&mut self, item: &'a Item) {
        if !is_test(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        if !is_test(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_local(&mut self, item: &'a syn::Local) {
        if !is_test(&item.attrs) {
            visit::visit_local(self, item);
        }
    }

    fn visit_expr_block(&mut self, item: &'a syn::ExprBlock) {
        if !is_test(&item.attrs) {
            visit::visit_expr_block(self, item);
        }
    }

    fn visit_item_use(&mut self, _: &'a syn::ItemUse) {
        // Imports were read first, because the other paths are resolved with them.
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        let words: Vec<String> = path
            .segments
            .iter()
            .map(|it| it.ident.to_string())
            .collect();
        if let Some(first) = path.segments.first() {
            self.name(&words, first.ident.span());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'a syn::Macro) {
        self.visit_path(&call.path);
        self.tokens(call.tokens.clone());
    }

    fn visit_expr_await(&mut self, expression: &'a syn::ExprAwait) {
        self.waits(expression.await_token.span);
        visit::visit_expr_await(self, expression);
    }

    fn visit_signature(&mut self, signature: &'a syn::Signature) {
        if let Some(token) = signature.asyncness {
            self.waits(token.span);
        }
        visit::visit_signature(self, signature);
    }

    fn visit_expr_async(&mut self, block: &'a syn::ExprAsync) {
        self.waits(block.async_token.span);
        visit::visit_expr_async(self, block);
    }
}
