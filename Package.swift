// swift-tools-version: 6.2
import PackageDescription

/// Every target is built the same way: a warning is an error, an import shows where it is used.
let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
]

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies + ["Support"], swiftSettings: settings)
}

let package = Package(
  name: "wirehook",
  products: [
    .executable(name: "wirehook-oci", targets: ["wirehook-oci"]),
    .executable(name: "wirehook-runc", targets: ["wirehook-runc"]),
    .executable(name: "wirehook", targets: ["wirehook"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    // C libraries of the system.
    .systemLibrary(name: "CMnl", pkgConfig: "libmnl", providers: [.apt(["libmnl-dev"])]),
    .systemLibrary(name: "CNftnl", pkgConfig: "libnftnl", providers: [.apt(["libnftnl-dev"])]),
    .systemLibrary(name: "CJSONC", pkgConfig: "json-c", providers: [.apt(["libjson-c-dev"])]),
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    .target(name: "CLinux", cSettings: [.define("_GNU_SOURCE")]),

    // Pure: values in, values out.
    module("WireCore"),
    module("WireJSON", ["CJSONC", "WireCore"]),
    module("WireConfig", ["WireCore", "WireJSON"]),
    module("WireOCI", ["WireCore", "WireJSON"]),
    module("WirePlan", ["WireCore", "WireJSON", "WireConfig", "WireOCI"]),

    // Pure as well, for the command line alone: pictures, tables, templates.
    module("WireView", ["WireCore", "WireJSON", "WirePlan"]),

    // Effects: the kernel, files, sockets.
    module("WireLinux", ["CLinux", "WireCore"]),
    module("WireNetlink", ["CLinux", "CMnl", "WireCore", "WireLinux"]),
    module("WireNFTables", ["CLinux", "CMnl", "CNftnl", "WireCore", "WireLinux"]),
    module("WireOVSDB", ["CLinux", "WireCore", "WireJSON", "WireLinux"]),
    module("WireState", ["CSQLite", "WireCore", "WireLinux"]),
    module(
      "WireEngine",
      [
        "CLinux", "WireCore", "WireJSON", "WireConfig", "WireOCI", "WirePlan", "WireLinux", "WireNetlink",
        "WireNFTables", "WireOVSDB", "WireState",
      ]),

    // Looks at the host for people: for the command line alone, and never in the hook.
    module(
      "WireInspect",
      [
        "WireCore", "WireConfig", "WirePlan", "WireView", "WireLinux", "WireNetlink", "WireNFTables", "WireOVSDB",
        "WireEngine",
      ]),

    .executableTarget(name: "wirehook-oci", dependencies: ["WireCore", "WireEngine"], swiftSettings: settings),
    .executableTarget(
      name: "wirehook-runc", dependencies: ["WireCore", "WireJSON", "WireConfig", "WireOCI", "WireLinux"],
      swiftSettings: settings),
    .executableTarget(
      name: "wirehook",
      dependencies: [
        "WireCore", "WireJSON", "WireConfig", "WireOCI", "WirePlan", "WireLinux", "WireState", "WireEngine",
        "WireView", "WireInspect",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], swiftSettings: settings),

    .target(
      name: "Support", dependencies: ["CLinux", "WireCore", "WireLinux"], path: "Tests/Support",
      swiftSettings: settings),
    tests("WireCoreTests", ["WireCore"]),
    tests("WireJSONTests", ["WireCore", "WireJSON"]),
    tests("WireConfigTests", ["WireCore", "WireJSON", "WireConfig"]),
    tests("WireOCITests", ["WireCore", "WireJSON", "WireOCI"]),
    tests("WirePlanTests", ["WireCore", "WireJSON", "WireConfig", "WireOCI", "WirePlan"]),
    tests("WireViewTests", ["WireCore", "WireJSON", "WirePlan", "WireView"]),
    tests(
      "WireInspectTests",
      ["WireCore", "WireConfig", "WirePlan", "WireEngine", "WireView", "WireNFTables", "WireNetlink", "WireInspect"]),
    tests("WireOVSDBTests", ["WireCore", "WireJSON", "WireLinux", "WireOVSDB"]),
    tests("WireStateTests", ["WireCore", "WireLinux", "WireState"]),
    tests("WireEngineTests", ["WireCore", "WireEngine"]),
    tests(
      "FuzzTests",
      ["WireCore", "WireJSON", "WireConfig", "WireOCI", "WirePlan", "WireNetlink", "WireOVSDB"]),
    tests("KernelTests", ["CLinux", "WireCore", "WireLinux", "WireNetlink", "WireNFTables"]),
    tests(
      "IntegrationTests",
      ["CLinux", "WireCore", "WireJSON", "WireConfig", "WireOCI", "WirePlan", "WireLinux", "WireEngine"]),
    tests("EndToEndTests", ["WireCore", "WireLinux"]),
    tests("ArchitectureTests", ["WireCore"]),
  ],
  swiftLanguageModes: [.v6]
)
