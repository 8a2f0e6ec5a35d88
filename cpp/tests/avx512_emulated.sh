#!/usr/bin/env bash
# Runs a static test program on a machine with AVX-512, played by Bochs: its Ice Lake model has VNNI, VPOPCNTDQ, BITALG
# and VBMI. A Debian kernel boots with an initramfs that holds the program and an init that starts it and switches off.
#   cpp/tests/avx512_emulated.sh <static program> [seconds]
# Exit status: the program's; 77 where something that this needs is missing, after one sentence that says what; 76 where
# the machine did not come to an end.
set -euo pipefail
program=$(realpath "$1")
limit=${2:-1500}
here=$(cd "$(dirname "$0")" && pwd)

skip() { echo "AVX-512 emulation skipped: $*"; exit 77; }

for tool in bochs grub-mkrescue xorriso mformat cpio script dpkg-deb apt-get gcc; do
  command -v $tool >/dev/null || skip "'$tool' is missing (packages bochs bochsbios vgabios bochs-term grub-pc-bin grub-common xorriso mtools cpio bsdutils gcc)"
done
[ -d /usr/lib/grub/i386-pc ] || skip "the package grub-pc-bin is missing"
[ -f /usr/share/bochs/BIOS-bochs-latest ] || skip "the package bochsbios is missing"
[ -f /usr/share/bochs/VGABIOS-lgpl-latest ] || skip "the package vgabios is missing"
file -L "$program" 2>/dev/null | grep -q "dynamically linked" && skip "$program is not static (preset 'emulated' builds such programs)"

cache=${XDG_CACHE_HOME:-$HOME/.cache}/snncore-emulated
mkdir -p "$cache"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# The kernel is taken out of its package; nothing is installed.
kernel=$(find "$cache" -name 'vmlinuz-*' | sort | tail -1)
if [ -z "$kernel" ]; then
  package=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | awk '/Depends: linux-image/ {print $2; exit}')
  [ -n "$package" ] || skip "apt knows no linux-image-cloud-amd64"
  apt-get download "$package" >/dev/null 2>&1 || skip "apt cannot download $package"
  dpkg-deb --fsys-tarfile linux-image-*.deb | tar -x -C "$cache" --strip-components=2 --wildcards './boot/vmlinuz-*'
  kernel=$(find "$cache" -name 'vmlinuz-*' | sort | tail -1)
fi

mkdir -p root iso/boot/grub
gcc -O1 -static -o root/init "$here/avx512_init.c"
cp "$program" root/program
strip -g root/program
(cd root && find . | cpio -o -H newc 2>/dev/null) | gzip -1 >iso/boot/initrd.gz
cp "$kernel" iso/boot/vmlinuz
# Bochs 2.7 states PKU's and XSAVEC's state sizes wrongly, and FSRM without ERMS makes Linux's memmove run away: without
# those four CPU bits (pku xsavec xsaves fsrm) the kernel boots and hands AVX-512 on to programs.
cat >iso/boot/grub/grub.cfg <<GRUB
set timeout=0
menuentry test {
  linux /boot/vmlinuz console=ttyS0 quiet loglevel=3 nokaslr mitigations=off clearcpuid=515,321,323,580 noxsaves rdinit=/init
  initrd /boot/initrd.gz
}
GRUB
grub-mkrescue -o disk.iso iso >grub.log 2>&1 || { cat grub.log; exit 1; }

cat >bochsrc <<BOCHS
cpu: model=corei7_icelake_u, count=1, ips=100000000, reset_on_triple_fault=0
memory: guest=512, host=512
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
display_library: term
ata0-master: type=cdrom, path=disk.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=serial.txt
clock: sync=none, time0=utc
log: bochs.log
panic: action=fatal
error: action=report
info: action=ignore
debug: action=ignore
plugin_ctrl: speaker=false
BOCHS
echo continue >commands # for a Bochs with its debugger built in

touch serial.txt
# Bochs needs a terminal to draw on; `script` gives it one.
script -qfec "bochs -q -f bochsrc -rc commands" screen.txt >/dev/null 2>&1 </dev/null &
emulator=$!
ended=$((SECONDS + limit))
until grep -q '^EXIT [0-9]' serial.txt; do
  kill -0 $emulator 2>/dev/null || break
  [ $SECONDS -lt $ended ] || break
  sleep 1
done
pkill -TERM -P $emulator 2>/dev/null || true
kill $emulator 2>/dev/null || true

tr -d '\r' <serial.txt | grep -a -v -e '^\[ ' -e '^EXIT '
status=$(tr -d '\r' <serial.txt | sed -n 's/^EXIT \([0-9]*\)$/\1/p')
if [ -z "$status" ]; then
  echo "the emulated machine did not come to an end; its last words:"
  tail -c 1000 screen.txt | tr -cd '[:print:]\n'
  tail -5 bochs.log
  exit 76
fi
exit "$status"
