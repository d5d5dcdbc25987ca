// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"errors"
	"os"

	"lodger/drivers/ubd"
	"lodger/lib/printk"
)

// addDisks opens the guest's disks: those of its command line, or the image that
// lodger run was given.
func (m *Machine) addDisks() error {
	if c := m.cfg.Cmdline; c != nil {
		return m.openDisks(c.Disks.Specs(), false)
	}
	if !IsImage(m.cfg.Root) {
		return nil
	}
	return m.openDisks([]ubd.Spec{{File: m.cfg.Root, Scratch: !m.cfg.RW}}, true)
}

// IsImage reports whether a root is a disk image rather than a tree.
func IsImage(root string) bool {
	if root == Builtin {
		return false
	}
	st, err := os.Stat(root)
	return err == nil && (st.Mode().IsRegular() || st.Mode()&os.ModeDevice != 0 && st.Mode()&os.ModeCharDevice == 0)
}

// openDisks opens the disks of the configuration. A disk that cannot be opened is
// told and left out, as on UML, unless must says that the guest is nothing without.
func (m *Machine) openDisks(specs []ubd.Spec, must bool) error {
	for _, s := range specs {
		d, err := ubd.Open(s, func(msg string) {
			if must { // the command line is ours, not a kernel's
				m.cfg.Log.Info(msg)
			} else {
				m.printk(printk.Err, "%s", msg)
			}
		})
		if err != nil && must {
			return err
		}
		if err != nil {
			m.printk(printk.Err, "Failed to initialize ubd device %d: %s", s.N, m.explain(s, err))
			continue
		}
		m.disks = append(m.disks, d)
		if _, err := d.Register(m.blk); err != nil {
			m.printk(printk.Err, "%v", err)
		}
	}
	return nil
}

// explain tells why a disk is not there. A COW file that could not be made before we
// were shut in cannot be made now: what was in the way then counts.
func (m *Machine) explain(s ubd.Spec, err error) string {
	if why := m.cfg.NotMade[s.N]; why != "" {
		return why
	}
	if m.cfg.Explain != nil {
		return m.cfg.Explain(err)
	}
	return err.Error()
}

// closeDisks flushes the disks and gives them up.
func (m *Machine) closeDisks() {
	var errs []error
	for _, d := range m.disks {
		errs = append(errs, d.Close())
	}
	m.disks = nil
	if err := errors.Join(errs...); err != nil {
		m.printk(printk.Err, "disks: %v", err)
	}
}
