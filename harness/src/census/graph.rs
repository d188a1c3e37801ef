//! Sections and what they point to, and a digest of them that knows neither order nor names.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

/// 128 bits of SHA-256, which tell apart what the graph holds.
pub(crate) type Colour = [u8; 16];

/// A node's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NodeId(usize);

/// A global name's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GlobalId(usize);

/// Where a relocation points.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    /// To a node of the same object; the place inside it belongs to the pointing node's own colour.
    Node(NodeId),
    /// To a global name, which any object may define.
    Global(GlobalId),
}

/// A section, or something indivisible that a relocation may point to.
#[derive(Debug)]
struct Node {
    colour: Colour,
    targets: Vec<Target>,
}

/// One definition of a global name: a place in a node.
#[derive(Debug, Clone, Copy)]
struct Definition {
    node: NodeId,
    offset: u64,
}

/// A global name and who defines it: nobody, one, or several of which the linker picks one.
#[derive(Debug)]
struct Global {
    undefined: Colour,
    definitions: Vec<Definition>,
}

/// All linker inputs of an artifact.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    nodes: Vec<Node>,
    globals: Vec<Global>,
    by_name: HashMap<String, GlobalId>,
}

impl Graph {
    /// Adds a node without contents, to be given them by [`Graph::fill`].
    pub(crate) fn reserve(&mut self) -> NodeId {
        self.nodes.push(Node { colour: Colour::default(), targets: Vec::new() });
        NodeId(self.nodes.len() - 1)
    }

    /// Adds a node that points nowhere; `kind` keeps different sorts of contents apart.
    pub(crate) fn leaf(&mut self, kind: &str, contents: &[u8]) -> NodeId {
        let node = self.reserve();
        self.fill(
            node,
            colour(Sha256::new().chain_update(kind).chain_update([0]).chain_update(contents)),
            vec![],
        );
        node
    }

    /// Gives a node its contents: their colour, and its targets in order.
    pub(crate) fn fill(&mut self, node: NodeId, colour: Colour, targets: Vec<Target>) {
        self.nodes[node.0] = Node { colour, targets };
    }

    /// The number of a global name. The name is the raw one: within one link it is exact.
    pub(crate) fn global(&mut self, name: &str) -> GlobalId {
        if let Some(known) = self.by_name.get(name) {
            return *known;
        }
        let undefined = colour(Sha256::new().chain_update("undefined\0").chain_update(name));
        self.globals.push(Global { undefined, definitions: Vec::new() });
        let global = GlobalId(self.globals.len() - 1);
        self.by_name.insert(name.to_owned(), global);
        global
    }

    /// Notes that a global name stands for a place in a node.
    pub(crate) fn define(&mut self, global: GlobalId, node: NodeId, offset: u64) {
        self.globals[global.0].definitions.push(Definition { node, offset });
    }

    /// Refines the colours until no class splits, and digests their multiset.
    pub(crate) fn digest(mut self) -> [u8; 32] {
        let mut classes = self.classes();
        loop {
            self.refine();
            let refined = self.classes();
            if refined == classes {
                break;
            }
            classes = refined;
        }
        let mut colours: Vec<Colour> = self.nodes.iter().map(|node| node.colour).collect();
        colours.sort_unstable();
        let mut hash = Sha256::new().chain_update("perflab code identity 1\0");
        for colour in colours {
            hash.update(colour);
        }
        hash.finalize().into()
    }

    /// How many different colours there are.
    fn classes(&self) -> usize {
        self.nodes.iter().map(|node| node.colour).collect::<HashSet<_>>().len()
    }

    /// Mixes into every node's colour those of its targets, as they were before this round.
    fn refine(&mut self) {
        let globals: Vec<Colour> = self.globals.iter().map(|global| self.global_colour(global)).collect();
        let refined = self.nodes.iter().map(|node| {
            if node.targets.is_empty() {
                return node.colour;
            }
            let mut hash = Sha256::new().chain_update(node.colour);
            for target in &node.targets {
                hash.update(match target {
                    Target::Node(target) => self.nodes[target.0].colour,
                    Target::Global(global) => globals[global.0],
                });
            }
            colour(hash)
        });
        let refined: Vec<Colour> = refined.collect();
        for (node, colour) in self.nodes.iter_mut().zip(refined) {
            node.colour = colour;
        }
    }

    /// What a global name stands for: its definitions in an order that no name decides.
    fn global_colour(&self, global: &Global) -> Colour {
        if global.definitions.is_empty() {
            return global.undefined;
        }
        let place = |definition: &Definition| (self.nodes[definition.node.0].colour, definition.offset);
        let mut places: Vec<(Colour, u64)> = global.definitions.iter().map(place).collect();
        places.sort_unstable();
        let mut hash = Sha256::new();
        for (colour, offset) in places {
            hash.update(colour);
            hash.update(offset.to_le_bytes());
        }
        colour(hash)
    }
}

/// Ends a hash and keeps half of it.
pub(crate) fn colour(hash: Sha256) -> Colour {
    let digest: [u8; 32] = hash.finalize().into();
    let (colour, _) = digest.split_at(size_of::<Colour>());
    Colour::try_from(colour).expect("the first half of 32 bytes is 16 bytes long")
}
