package doctor

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/sottovoce/sotto/identity/vault"
)

const (
	leastDisk = 50 << 20 // tor's consensus and descriptors, and saving whole
	noDisk    = 1 << 20  // tor fails to start
	leastLock = 64 << 10 // pages that keys lie on
)

// folder looks at the profile's folder and the identity in it.
func folder(home string) Finding {
	const name = "folder"
	for _, p := range []struct {
		path string
		most fs.FileMode
		need uint32
	}{{home, 0o700, unix.R_OK | unix.W_OK | unix.X_OK}, {vault.Path(home), 0o600, unix.R_OK | unix.W_OK}} {
		path, most := p.path, p.most
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fail(name, err, "make the profile's folder yours: chown and chmod it, or name another with --home")
		}
		if path == home && !info.IsDir() {
			return fail(name, fmt.Errorf("%s: %w", home, unix.ENOTDIR), "name a folder with --home")
		}
		if err := unix.Access(path, p.need); err != nil {
			return fail(name, fmt.Errorf("%s cannot be read and written: %w", path, err),
				"make it yours with chown and chmod (ls -ld shows whose it is), or name another profile with --home")
		}
		if loose := info.Mode().Perm() &^ most; loose != 0 {
			return warn(name, fmt.Sprintf("%s is open to others (%v)", path, info.Mode().Perm()), fmt.Sprintf("chmod %o %s", most, path))
		}
		var st unix.Stat_t
		if err := unix.Stat(path, &st); err == nil && int(st.Uid) != os.Getuid() {
			return warn(name, fmt.Sprintf("%s belongs to another user", path), "chown it to yourself, or name another profile with --home")
		}
	}
	switch {
	case !vault.Exists(home):
		return warn(name, "no identity is in "+home+" yet", "sotto id makes one; without, only sotto call --once works")
	case !sealed(vault.Path(home)):
		return warn(name, "the identity lies there unsealed: whoever can read your files is you", "sotto id seal")
	}
	return well(name, home+", yours alone, the identity sealed")
}

// sealed tells an age file in armor from a key that lies open.
func sealed(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	line, _ := bufio.NewReader(io.LimitReader(f, 256)).ReadString('\n')
	return strings.HasPrefix(line, "-----BEGIN AGE")
}

// disk looks at the room where the profile is, or will be.
func disk(home string) Finding {
	const name = "disk"
	at := home
	for {
		if _, err := os.Stat(at); err == nil || filepath.Dir(at) == at {
			break
		}
		at = filepath.Dir(at)
	}
	var st unix.Statfs_t
	if err := unix.Statfs(at, &st); err != nil {
		return warn(name, fmt.Sprintf("the room on the disk of %s cannot be asked for: %v", at, err), "see that there are 50 MB free")
	}
	free := st.Bavail * uint64(st.Bsize)
	if free < noDisk {
		return fail(name, fmt.Errorf("%w: %d kB are free at %s", unix.ENOSPC, free>>10, at), "free 50 MB: nothing can be saved, and tor does not start")
	}
	if free < leastDisk {
		return warn(name, fmt.Sprintf("%d MB are free at %s", free>>20, at), "free 50 MB: tor keeps its view of the network there, and identity and contacts are saved by writing them anew")
	}
	return well(name, fmt.Sprintf("%d MB free", free>>20))
}

// swap looks for swap space that is neither in memory nor sealed.
func swap(string) Finding {
	const name = "swap"
	f, err := os.Open("/proc/swaps")
	if err != nil {
		return warn(name, "swap space cannot be looked at here", "see that it is encrypted: passphrases and speech may be written there")
	}
	defer f.Close()
	open := openSwap(f)
	if len(open) == 0 {
		return well(name, "none, or none that keeps what it holds")
	}
	return warn(name, "swap on "+strings.Join(open, ", ")+": what is said may be written to the disk there (keys are kept from it)",
		"turn it off (swapoff -a), or put it on an encrypted device")
}

// openSwap reads /proc/swaps: devices that are neither compressed memory nor a
// mapped device, which is how encrypted ones look.
func openSwap(r io.Reader) (open []string) {
	s := bufio.NewScanner(r)
	for first := true; s.Scan(); first = false {
		path, _, _ := strings.Cut(s.Text(), " ")
		path, _, _ = strings.Cut(path, "\t")
		if first || path == "" || strings.HasPrefix(path, "/dev/zram") || strings.HasPrefix(path, "/dev/dm-") || strings.HasPrefix(path, "/dev/mapper/") {
			continue
		}
		open = append(open, path)
	}
	return open
}

// dumps looks whether a crash of this program would write its memory to disk.
func dumps(string) Finding {
	const name = "core dumps"
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &limit); err != nil || limit.Cur > 0 {
		return warn(name, "this system lets a program's memory be dumped when it crashes", "ulimit -c 0 before sotto")
	}
	return well(name, "off")
}

// locked looks whether keys can be kept out of swap space.
func locked(string) Finding {
	const name = "locked memory"
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_MEMLOCK, &limit); err != nil || limit.Cur < leastLock {
		return warn(name, "too little memory may be locked: keys may be written to swap space", "ulimit -l 64 or more (limits.conf: memlock)")
	}
	return well(name, "keys stay out of swap space")
}
