// SPDX-License-Identifier: Apache-2.0

package ext4

// shrinkTree lifts the entries of the root's nodes into the root while they have
// room there (ext4_ext_try_to_merge_up does it for one node). e2fsck offers to
// rebuild trees that could be shorter.
func (i *inode) shrinkTree(h *handle) error {
	for {
		root := node(i.iblock())
		if err := i.checkRoot(root); err != nil || root.depth() == 0 {
			return err
		}
		var below []*Buffer
		total := 0
		for k := range root.entries() {
			hi := uint64(maxBlocks + 1)
			if k+1 < root.entries() {
				hi = uint64(root.key(k + 1))
			}
			b, err := i.extentBlock(root.child(k), root.depth()-1, uint64(root.key(k)), hi)
			if err != nil {
				return err
			}
			if total += node(b.data).entries(); total > extRootMax {
				return nil
			}
			below = append(below, b)
		}
		if err := h.restart(creditsTree); err != nil {
			return err
		}
		depth, at := root.depth()-1, 0
		clear(root[extHeader:])
		root.init(extRootMax, depth)
		for _, b := range below {
			n := node(b.data)
			at += copy(root[extHeader+at:], n[extHeader:extHeader+n.entries()*extEntry])
		}
		root.setEntries(total)
		i.addSectors(-int64(len(below)))
		for _, b := range below {
			if err := i.s.freeBlocks(h, i.ino, b.block, 1, true); err != nil {
				return err
			}
		}
		if err := i.s.writeInode(h, i); err != nil {
			return err
		}
	}
}
