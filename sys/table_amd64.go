// SPDX-License-Identifier: Apache-2.0

package sys

func (r *Row) number() int { return r.X86 }
