//! The file system of a data directory.

use std::io;
use std::path::Path;

/// Returns the kind of network file system that a path is on, if any.
#[cfg(target_os = "linux")]
pub(super) fn network_file_system(path: &Path) -> io::Result<Option<&'static str>> {
    // The numbers are from `linux/magic.h` and the file systems' own headers.
    let magic = rustix::fs::statfs(path)?.f_type;
    Ok(match magic {
        0x6969 => Some("NFS"),
        0x517b => Some("SMB"),
        0xff53_4d42 => Some("CIFS"),
        0xfe53_4d42 => Some("SMB2"),
        0x5346_414f => Some("AFS"),
        0x00c3_6400 => Some("Ceph"),
        0x0102_1997 => Some("9P"),
        _ => None,
    })
}

#[cfg(target_vendor = "apple")]
pub(super) fn network_file_system(path: &Path) -> io::Result<Option<&'static str>> {
    let name = rustix::fs::statfs(path)?.f_fstypename;
    let name: Vec<u8> = name
        .iter()
        .take_while(|c| **c != 0)
        .map(|c| c.to_ne_bytes()[0])
        .collect();
    Ok(match name.as_slice() {
        b"nfs" => Some("NFS"),
        b"smbfs" => Some("SMB"),
        b"afpfs" => Some("AFP"),
        b"webdav" => Some("WebDAV"),
        _ => None,
    })
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
pub(super) fn network_file_system(_: &Path) -> io::Result<Option<&'static str>> {
    Ok(None)
}
