package announce

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

// desktop shows notifications (org.freedesktop.Notifications). A nil one shows
// none.
type desktop struct {
	conn  *dbus.Conn
	shown map[string]uint32 // by call
	warn  func(error)
}

// busAddress is where the session's bus listens, "" if there is none here, or if
// it is anywhere but on this machine.
func busAddress() string {
	address := os.Getenv("DBUS_SESSION_BUS_ADDRESS")
	if folder := os.Getenv("XDG_RUNTIME_DIR"); address == "" && folder != "" {
		socket := filepath.Join(folder, "bus")
		if _, err := os.Stat(socket); err == nil {
			address = "unix:path=" + socket
		}
	}
	for one := range strings.SplitSeq(address, ";") {
		if strings.HasPrefix(one, "unix:") {
			return one
		}
	}
	return ""
}

func newDesktop(ctx context.Context, warn func(error)) *desktop {
	address := busAddress()
	if address == "" {
		return nil
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	late := time.AfterFunc(answerTime, cancel) // a bus that takes connections, and says nothing
	conn, err := dbus.Connect(address, dbus.WithContext(ctx))
	if err != nil || !late.Stop() {
		cancel()
		return nil // a bus that was
	}
	return &desktop{conn: conn, shown: map[string]uint32{}, warn: warn}
}

func (d *desktop) close() {
	if d == nil {
		return
	}
	for call := range d.shown {
		d.hide(call)
	}
	d.conn.Close()
}

// answerTime is how long a desktop may take to show something, or a bus to greet.
const answerTime = 2 * time.Second

const notifications = "org.freedesktop.Notifications"

func (d *desktop) object() dbus.BusObject {
	return d.conn.Object(notifications, "/org/freedesktop/Notifications")
}

// show shows a moment, or takes away what is shown of its call.
func (d *desktop) show(m Moment) {
	if d == nil {
		return
	}
	name := cmp.Or(m.Name, "a stranger")
	switch m.Event {
	case "ringing":
		d.notify(m.Call, fmt.Sprintf("%s calls", name), 2)
	case "missed":
		d.notify("", fmt.Sprintf("missed a call from %s", name), 1)
	default:
		d.hide(m.Call)
	}
}

// notify shows a line until it is hidden, or for as long as the desktop likes
// where call is "".
func (d *desktop) notify(call, text string, urgency byte) {
	keep := int32(-1)
	if call != "" {
		keep = 0
	}
	hints := map[string]dbus.Variant{"urgency": dbus.MakeVariant(urgency), "category": dbus.MakeVariant("call.incoming"), "desktop-entry": dbus.MakeVariant("sotto")}
	ctx, cancel := context.WithTimeout(context.Background(), answerTime)
	defer cancel()
	var id uint32
	err := d.object().CallWithContext(ctx, notifications+".Notify", 0, "sotto", uint32(0), "call-start", text, "", []string{}, hints, keep).Store(&id)
	switch {
	case err != nil && d.warn != nil:
		d.warn(fmt.Errorf("calls do not show on the desktop: %w", err))
		d.warn = nil
	case err == nil && call != "":
		d.shown[call] = id
	}
}

func (d *desktop) hide(call string) {
	if id, ok := d.shown[call]; ok {
		delete(d.shown, call)
		d.object().Call(notifications+".CloseNotification", dbus.FlagNoReplyExpected, id)
	}
}
