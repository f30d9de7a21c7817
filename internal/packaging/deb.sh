#!/bin/sh
# deb.sh ROOT FOLDER makes a Debian package of what make install has put into
# ROOT with PREFIX=/usr, in FOLDER. RELEASE, COMMIT and SOURCE_DATE_EPOCH come
# from make. The same sources give the same package, byte for byte.
set -eu
umask 022
here=$(dirname "$0")
root=$1
to=$2
day=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d)

# v1.2.0-3-g334442c is 1.2.0+3.g334442c; without a release the day comes first.
case $RELEASE in
v[0-9]*) version=$(printf %s "${RELEASE#v}" | sed 's/-/+/; s/-/./g') ;;
*) version=$(printf '0~%s.%s' "$day" "$COMMIT" | tr - .) ;;
esac
architecture=$(dpkg --print-architecture)

# The libraries and their versions, as the linker's tool knows them; else by name.
libraries='libc6, libopus0, libportaudio2, libspeexdsp1'
if command -v dpkg-shlibdeps >/dev/null; then
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	mkdir "$work/debian"
	printf 'Source: sotto\n\nPackage: sotto\nArchitecture: any\n' >"$work/debian/control"
	binary=$(realpath "$root")/usr/bin/sotto
	found=$(cd "$work" && dpkg-shlibdeps -O --ignore-missing-info -e"$binary" 2>/dev/null | sed -n 's/^shlibs:Depends=//p') && [ "$found" ] && libraries=$found
fi

# What Debian wants besides, where it wants it.
docs=$root/usr/share/doc/sotto
{
	printf 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n'
	printf 'Upstream-Name: sotto\n\nFiles: *\nCopyright: 2026, the sotto authors\nLicense: BSD-3-Clause\n'
	sed '1,2d; s/^$/./; s/^/ /' "$docs/LICENSE"
} >"$docs/copyright"
rm "$docs/LICENSE"
printf 'sotto (%s) unstable; urgency=medium\n\n  * Built from commit %s.\n\n -- the sotto authors <sotto@sotto.invalid>  %s\n' \
	"$version" "$COMMIT" "$(LC_ALL=C date -u -d "@$SOURCE_DATE_EPOCH" +'%a, %d %b %Y %H:%M:%S +0000')" | gzip -9n >"$docs/changelog.gz"
gzip -9n "$root"/usr/share/man/man1/*.1

mkdir -p "$root/DEBIAN"
size=$(du -k --apparent-size -s "$root/usr" | cut -f 1)
sed "s/@VERSION@/$version/; s/@ARCHITECTURE@/$architecture/; s/@SIZE@/$size/; s/@LIBRARIES@/$libraries/" "$here/control" >"$root/DEBIAN/control"
install -m 755 "$here/postinst" "$root/DEBIAN/postinst"
echo /etc/apparmor.d/usr.bin.sotto >"$root/DEBIAN/conffiles"
(cd "$root" && find usr -type f | LC_ALL=C sort | xargs md5sum >DEBIAN/md5sums)
dpkg-deb --root-owner-group -Zxz --build "$root" "$to/sotto_${version}_$architecture.deb"
