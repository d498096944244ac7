//! A regression tree in breadth-first order.

/// Deepest tree that is grown or loaded.
pub const MAX_DEPTH: usize = 256;

/// Most features a model can have.
pub const MAX_FEATURES: usize = 255;

/// `Node::feature` of a leaf.
pub const LEAF: u8 = u8::MAX;

/// One node; an inner node sends `x[feature] <= threshold` to `left`, the rest to `left + 1`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Node {
    /// Column tested, or [`LEAF`].
    pub feature: u8,
    /// Largest value that goes left (0 for a leaf).
    pub threshold: f32,
    /// Index of the left child; the right one follows it (0 for a leaf).
    pub left: u32,
    /// Mean target of the training rows here (a booster's step for its leaves).
    pub value: f32,
    /// Distinct training rows here.
    pub rows: u32,
    /// Their weight: how often the bootstrap drew them.
    pub weight: f32,
    /// Variance of the target here.
    pub impurity: f32,
}

impl Node {
    /// True when the node has no children.
    pub fn is_leaf(&self) -> bool {
        self.feature == LEAF
    }
}

/// Nodes breadth-first: the k-th inner node has its children at `1 + 2k` and `2 + 2k`, so a tree cannot have cycles.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    nodes: Vec<Node>,
    depth: usize,
}

/// A tree that would not be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// No node at all.
    #[error("a tree has no nodes")]
    Empty,
    /// A child index that cannot be.
    #[error("node {node}: child {child} is out of range, shared or before its parent")]
    Child {
        /// The inner node.
        node: usize,
        /// Its left child.
        child: u64,
    },
    /// Nodes that nothing points to.
    #[error("{0} nodes cannot be reached")]
    Unreachable(usize),
    /// A feature the model does not have.
    #[error("node {node}: there is no feature {feature}")]
    Feature {
        /// The inner node.
        node: usize,
        /// The column it tests.
        feature: i32,
    },
    /// NaN or an infinity.
    #[error("node {0}: threshold or value is not a finite number")]
    NotFinite(usize),
    /// Deeper than [`MAX_DEPTH`].
    #[error("a tree is deeper than {MAX_DEPTH}")]
    TooDeep,
}

impl Tree {
    /// Checks the nodes of an untrusted tree over `features` columns; inner nodes' `left` is set here.
    pub fn new(mut nodes: Vec<Node>, features: usize) -> Result<Self, TreeError> {
        let mut next = 1;
        for (index, node) in nodes.iter_mut().enumerate() {
            let finite = [node.threshold, node.value, node.weight, node.impurity]
                .iter()
                .all(|x| x.is_finite());
            if !finite {
                return Err(TreeError::NotFinite(index));
            }
            if node.is_leaf() {
                node.left = 0;
                continue;
            }
            if usize::from(node.feature) >= features {
                return Err(TreeError::Feature {
                    node: index,
                    feature: node.feature.into(),
                });
            }
            if next <= index {
                return Err(TreeError::Child {
                    node: index,
                    child: next as u64,
                });
            }
            node.left = next as u32;
            next += 2;
        }
        match nodes.len() {
            0 => return Err(TreeError::Empty),
            len if len < next => {
                return Err(TreeError::Child {
                    node: len - 1,
                    child: next as u64 - 2,
                });
            }
            len if len > next => return Err(TreeError::Unreachable(len - next)),
            _ => {}
        }
        let depth = depth(&nodes);
        if depth > MAX_DEPTH {
            Err(TreeError::TooDeep)
        } else {
            Ok(Self { nodes, depth })
        }
    }

    /// Takes nodes in any order with explicit left children (the right one follows) and renumbers them.
    pub(super) fn from_grown(grown: &[Node]) -> Self {
        let mut nodes = Vec::with_capacity(grown.len());
        let mut queue = std::collections::VecDeque::from([0usize]);
        let mut next = 1;
        while let Some(index) = queue.pop_front() {
            let mut node = grown[index];
            if !node.is_leaf() {
                let left = node.left as usize;
                queue.extend([left, left + 1]);
                node.left = next;
                next += 2;
            }
            nodes.push(node);
        }
        let depth = depth(&nodes);
        Self { nodes, depth }
    }

    /// All nodes, root first.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Edges from the root to the deepest leaf.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// The leaf a row falls into. `row` needs a value per feature; NaN goes left.
    pub fn leaf(&self, row: &[f32]) -> &Node {
        let mut node = &self.nodes[0];
        while !node.is_leaf() {
            let right = u32::from(row[usize::from(node.feature)] > node.threshold);
            node = &self.nodes[(node.left + right) as usize];
        }
        node
    }
}

/// Levels follow one another, each as long as the children of the one before.
fn depth(nodes: &[Node]) -> usize {
    let (mut depth, mut level_end, mut next) = (0, 1, 1);
    for (index, node) in nodes.iter().enumerate() {
        if index == level_end {
            depth += 1;
            level_end = next;
        }
        if !node.is_leaf() {
            next += 2;
        }
    }
    depth
}
