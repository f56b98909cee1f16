/// The user namespace of this process (user_namespaces(7)).
package enum UserNamespace {
  /// Whether it is the host's own. In another one root is root over that namespace's resources only. What cannot be told
  /// counts as the host's.
  package static var isInitial: Bool {
    do throws(SystemError) {
      // One line of three numbers; the host's maps all ids to themselves.
      let map = try Files.read("/proc/self/uid_map", limit: 64 << 10)
      let words = map.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
      return words.count == 3 && words[2].elementsEqual("4294967295".utf8)
    } catch {
      return true
    }
  }
}
