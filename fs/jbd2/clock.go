// SPDX-License-Identifier: Apache-2.0

package jbd2

import "lodger/lib/ktime"

// ClockTimer is the Timer of a guest's clock.
type ClockTimer struct{ *ktime.Clock }

// After makes ClockTimer a Timer.
func (c ClockTimer) After(d int64, f func()) (stop func() bool) { return c.Clock.After(d, f).Stop }

var _ Timer = ClockTimer{}
