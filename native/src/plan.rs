//! What is wanted of a line: a tree of keys and places with values at its ends.

use crate::columns::Kind;
use crate::scan::{goes_on, number, Markers};

/// A node's number.
pub type Id = u32;

/// What stands at a node.
pub enum Node {
    /// An object, of some keys. In objects of an array, `present` is the column of whether there is one.
    Object { keys: Keys, present: Option<usize> },
    /// An array, of some places.
    Array(Vec<(usize, Id)>),
    /// A value.
    Value(Place),
    /// An array of objects, the column of their numbers, and the object that each is.
    Items { column: usize, each: Id },
}

/// Where values of a kind go: into a column, in the row that a group is at.
#[derive(Clone, Copy)]
pub struct Place {
    pub kind: Kind,
    pub column: usize,
    pub group: usize,
}

/// A column: what is in it, and the items it belongs to (0: a line has one value, else as many as elements).
pub struct Declared {
    pub kind: Kind,
    pub group: usize,
}

/// The nodes by number, the columns that they fill, and the markers of lines that are looked at.
pub struct Plan {
    pub nodes: Vec<Node>,
    groups_of: Vec<usize>,
    pub columns: Vec<Declared>,
    pub groups: usize,
    pub markers: Markers,
}

/// The keys of an object, in their order, found by a hash of their ends.
#[derive(Default)]
pub struct Keys {
    entries: Vec<(Vec<u8>, Id)>,
    slots: Vec<u16>,
}

impl Plan {
    /// A plan with nothing but its root.
    pub fn new() -> Self {
        let root = Node::Object { keys: Keys::default(), present: None };
        Plan {
            nodes: vec![root],
            groups_of: vec![0],
            columns: vec![],
            groups: 1,
            markers: Markers::default(),
        }
    }

    /// A node below an object, or below the objects of an array.
    pub fn add_key(&mut self, parent: Id, key: &[u8], kind: u8) -> Option<Id> {
        let parent = match self.nodes.get(parent as usize)? {
            Node::Object { .. } => parent,
            Node::Items { each, .. } => *each,
            _ => return None,
        };
        let child = self.node(kind, self.groups_of[parent as usize])?;
        match &mut self.nodes[parent as usize] {
            Node::Object { keys, .. } => keys.add(key, child),
            _ => return None,
        }
        Some(child)
    }

    /// A node below an array.
    pub fn add_place(&mut self, parent: Id, place: usize, kind: u8) -> Option<Id> {
        let group = *self.groups_of.get(parent as usize)?;
        let child = self.node(kind, group)?;
        match &mut self.nodes[parent as usize] {
            Node::Array(places) => places.push((place, child)),
            _ => return None,
        }
        Some(child)
    }

    /// The group of rows that the elements of items are.
    pub fn item_group(&self, each: Id) -> usize {
        self.groups_of[each as usize]
    }

    fn node(&mut self, kind: u8, group: usize) -> Option<Id> {
        let node = match kind {
            b'o' => {
                let present = (group > 0).then(|| self.column(Kind::Present, group));
                Node::Object { keys: Keys::default(), present }
            }
            b'a' if group == 0 => Node::Array(vec![]),
            b'i' if group == 0 => {
                let column = self.column(Kind::Items, group);
                self.groups += 1;
                let each = self.push(Node::Object { keys: Keys::default(), present: None }, self.groups - 1);
                Node::Items { column, each }
            }
            b't' => Node::Value(self.place(Kind::Text, group)),
            b'c' => Node::Value(self.place(Kind::Count, group)),
            b'n' => Node::Value(self.place(Kind::Number, group)),
            b'f' => Node::Value(self.place(Kind::Flag, group)),
            _ => return None,
        };
        Some(self.push(node, group))
    }

    fn push(&mut self, node: Node, group: usize) -> Id {
        self.nodes.push(node);
        self.groups_of.push(group);
        (self.nodes.len() - 1) as Id
    }

    fn place(&mut self, kind: Kind, group: usize) -> Place {
        Place { kind, column: self.column(kind, group), group }
    }

    fn column(&mut self, kind: Kind, group: usize) -> usize {
        self.columns.push(Declared { kind, group });
        self.columns.len() - 1
    }
}

impl Keys {
    /// The keys with their nodes, in the order in which they were added.
    pub fn entries(&self) -> &[(Vec<u8>, Id)] {
        &self.entries
    }

    /// The node of a key.
    #[inline]
    pub fn get(&self, key: &[u8]) -> Option<Id> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut slot = hash(key) & mask;
        loop {
            let entry = *self.slots.get(slot)? as usize;
            let (name, id) = self.entries.get(entry.checked_sub(1)?)?;
            if name.len() == key.len() && goes_on(key, 0, name) {
                return Some(*id);
            }
            slot = (slot + 1) & mask;
        }
    }

    fn add(&mut self, key: &[u8], id: Id) {
        self.entries.push((key.to_vec(), id));
        let mask = (self.entries.len() * 4).next_power_of_two() - 1;
        self.slots = vec![0; mask + 1];
        for (place, (key, _)) in self.entries.iter().enumerate() {
            let mut slot = hash(key) & mask;
            while self.slots[slot] != 0 {
                slot = (slot + 1) & mask;
            }
            self.slots[slot] = place as u16 + 1;
        }
    }
}

/// A hash of a key's length, beginning and end.
#[inline]
fn hash(key: &[u8]) -> usize {
    let (first, last) = match key.len() {
        8.. => (number::<8>(key), number::<8>(&key[key.len() - 8..])),
        4.. => (number::<4>(key), number::<4>(&key[key.len() - 4..])),
        0 => (0, 0),
        length => (u64::from(key[0]) << 8 | u64::from(key[length / 2]), u64::from(key[length - 1])),
    };
    let mixed = (first ^ last.rotate_left(29) ^ key.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 40) as usize
}
