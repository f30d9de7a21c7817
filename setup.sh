#!/bin/sh
# setup.sh installs what sotto is built with: nothing that is there already,
# and nothing without saying so first.
#
#   ./setup.sh        to build sotto and to run its demo
#   ./setup.sh test   also to run its tests
#
# On Debian and its relatives it uses apt, through sudo when it is not root.
# Elsewhere, and for Go itself, it says exactly what to install. While apt runs,
# a temporary policy-rc.d keeps Debian from starting a tor (or any other
# service) on this machine; one that is there already is left alone.
#
# SOTTO_SETUP_ROOT puts another folder in the place of / (for the tests).
set -u

root=${SOTTO_SETUP_ROOT:-}
policy=$root/usr/sbin/policy-rc.d
go_needed=1.26
made_policy=
PATH=$PATH:$root/usr/local/go/bin:$root/usr/sbin:$root/sbin

fail() {
	printf 'setup: %s\n' "$*" >&2
	exit 1
}

# have PACKAGE: is a Debian package installed?
have() {
	dpkg -s "$1" 2>/dev/null | grep -q '^Status: install ok installed'
}

case ${1:-build} in
build) build_only=yes ;;
test) build_only= ;;
*)
	echo 'usage: ./setup.sh [test]' >&2
	exit 2
	;;
esac

# The packages, each with its reason.
wanted() {
	cat <<-END
		gcc compiles the parts in C
		libc6-dev headers of the C library
		pkg-config finds the libraries
		libopus-dev the speech codec
		portaudio19-dev the sound card
		libspeexdsp-dev noise suppression
		tor the network that carries the calls
		ca-certificates for Go to fetch its modules
		git for Go to fetch its modules
	END
	[ "$build_only" ] || cat <<-END
		jackd2 a sound server without a sound card
		pulseaudio another one
		pulseaudio-utils its tools
		libasound2-plugins lets ALSA use it
		tmux a terminal to test in
		sox makes and converts sound
		opus-tools judges the files of Ogg Opus
		strace sees what leaves a process
		iproute2 makes a network of loopback alone
		procps finds what was left running
		asterisk-core-sounds-en-wav a human voice
		python3 runs a second implementation of the protocol
		python3-cryptography its ciphers
		zbar-tools reads the QR codes
		age opens what is sealed
		obfs4proxy reaches and makes a private bridge
		systemd checks the unit
		apparmor checks the profile
		desktop-file-utils checks the desktop entry
	END
}

# By hand, for everything without apt.
by_hand() {
	cat >&2 <<-'END'
		setup: there is no apt here. Please install, by these names:
		  Fedora    sudo dnf install gcc glibc-devel pkgconf-pkg-config opus-devel portaudio-devel speexdsp-devel tor git
		  Arch      sudo pacman -S --needed gcc pkgconf opus portaudio speexdsp tor git
		  Homebrew  brew install pkg-config opus portaudio speexdsp tor git
		  Debian    gcc libc6-dev pkg-config libopus-dev portaudio19-dev libspeexdsp-dev tor ca-certificates git
		For the tests also: jack2, pulseaudio with its ALSA plugin, tmux, sox, opus-tools, strace, python3 with cryptography, zbar, age, obfs4proxy.
	END
}

# enough: without dpkg, are the programs and libraries there all the same?
enough() {
	command -v gcc >/dev/null || command -v cc >/dev/null || return 1
	for program in pkg-config git tor; do
		command -v "$program" >/dev/null || return 1
	done
	pkg-config --exists opus portaudio-2.0 speexdsp || return 1
	[ "$build_only" ] && return 0
	for program in jackd pulseaudio tmux sox opusinfo strace python3 zbarimg age obfs4proxy; do
		command -v "$program" >/dev/null || return 1
	done
}

check_go() {
	command -v go >/dev/null ||
		fail "Go is missing: install Go $go_needed or newer from https://go.dev/dl/ (unpack it to /usr/local and put /usr/local/go/bin into PATH), then try again"
	# GOTOOLCHAIN=local: the version that is here, not one that it might fetch.
	version=$(GOTOOLCHAIN=local GOFLAGS='' go env GOVERSION 2>/dev/null)
	version=${version#go}
	major=${version%%.*}
	minor=${version#*.}
	minor=${minor%%[!0-9]*}
	case $major.$minor in
	*[!0-9.]* | .* | *.) fail "cannot tell the version of $(command -v go): install Go $go_needed or newer from https://go.dev/dl/" ;;
	esac
	if [ "$major" -lt "${go_needed%.*}" ] || { [ "$major" -eq "${go_needed%.*}" ] && [ "$minor" -lt "${go_needed#*.}" ]; }; then
		fail "Go $version is too old, $go_needed or newer is needed: install it from https://go.dev/dl/ (unpack it to /usr/local and put /usr/local/go/bin first in PATH), then try again"
	fi
}

# as_root runs a command as root; its output goes where ours goes.
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# clean_up takes back what should not outlast us.
clean_up() {
	[ "$made_policy" ] || return 0
	made_policy=
	as_root rm -f "$policy"
}

install_packages() {
	if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
		fail "not root, and there is no sudo. As root, run:
  apt-get update && apt-get install --no-install-recommends $*"
	fi
	trap clean_up EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	if ! [ -e "$policy" ] && ! [ -L "$policy" ]; then
		made_policy=yes
		as_root sh -c 'mkdir -p "$(dirname "$1")" && printf "#!/bin/sh\nexit 101\n" >"$1" && chmod 755 "$1"' sh "$policy" ||
			fail "cannot write $policy, which keeps services from being started"
	fi
	as_root env DEBIAN_FRONTEND=noninteractive apt-get update ||
		fail 'apt-get update failed (see above): is there a network? Nothing was installed.'
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" ||
		fail "apt-get could not install everything (see above). To try by hand, as root:
  apt-get install --no-install-recommends $*"
	clean_up
}

check_go

if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
	enough && {
		echo 'setup: everything is there'
		exit 0
	}
	by_hand
	exit 1
fi

missing=$(wanted | while read -r package reason; do
	have "$package" || printf '%s\t%s\n' "$package" "$reason"
done)
if [ -z "$missing" ]; then
	echo 'setup: everything is there'
	exit 0
fi

echo 'setup: to be installed with apt:'
printf '%s\n' "$missing" | while read -r package reason; do
	printf '  %-28s %s\n' "$package" "$reason"
done
# Package names hold no blanks: one word each is meant.
# shellcheck disable=SC2046
install_packages $(printf '%s\n' "$missing" | cut -f 1)
echo 'setup: everything is there now; no service was started'
