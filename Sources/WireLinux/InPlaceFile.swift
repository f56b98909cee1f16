internal import Glibc

/// Changes what a file holds and leaves the file itself: a bind mount shows the inode that it was made of.
package enum InPlaceFile {
  /// Replaces the contents of an open regular file by what `edit` makes of them.
  package static func edit(
    _ file: borrowing Descriptor, path: String, limit: Int, _ edit: ([UInt8]) -> [UInt8]
  ) throws(SystemError) {
    let before = try Files.contents(of: file, path: path, limit: limit)
    let after = edit(before)
    guard after != before else { return }
    guard after.count <= limit else {
      throw SystemError("write", EFBIG, path: path, reason: "more than \(limit) bytes")
    }
    var position = 0
    while position < after.count {
      let (descriptor, start) = (file.raw, position)
      let written = after[start...].withUnsafeBufferPointer { part in
        retrying { pwrite(descriptor, part.baseAddress, part.count, start) }
      }
      guard written > 0 else { throw SystemError("write", errno, path: path) }
      position += written
    }
    guard after.count >= before.count || ftruncate(file.raw, after.count) == 0 else {
      throw SystemError("ftruncate", errno, path: path)
    }
  }
}
