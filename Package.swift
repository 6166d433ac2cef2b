// swift-tools-version: 6.2
import Foundation
import PackageDescription

// MARK: OpenMP
// Found here because no pkg-config file exists for it: Debian keeps libomp under
// /usr/lib/llvm-*/lib, Homebrew under its own prefix. CIRCADIA_OPENMP=0 builds without threads.

/// The folder that holds libomp, or nil where it is not installed.
func openMPLibraryFolder() -> String? {
    let manager = FileManager.default
    var folders = ["/opt/homebrew/opt/libomp/lib", "/usr/local/opt/libomp/lib"]
    let llvmVersions = (try? manager.contentsOfDirectory(atPath: "/usr/lib")) ?? []
    folders += llvmVersions.filter { $0.hasPrefix("llvm-") }.sorted().reversed()
        .map { "/usr/lib/\($0)/lib" }
    return folders.first { folder in
        ["libomp.so", "libomp.dylib"].contains {
            manager.fileExists(atPath: "\(folder)/\($0)")
        }
    }
}

let wantsOpenMP = ProcessInfo.processInfo.environment["CIRCADIA_OPENMP"] != "0"
let openMPFolder = wantsOpenMP ? openMPLibraryFolder() : nil
if wantsOpenMP && openMPFolder == nil {
    print(
        """
        warning: libomp was not found, so the kernels are built for one thread. \
        Install it ('make setup', or libomp-dev with apt, libomp with brew), or set \
        CIRCADIA_OPENMP=0 to build without threads on purpose.
        """)
}

// -O3 even in debug builds: tests run real models.
// -ffp-contract=off keeps the scalar reference free of fused products the source does not ask for.
var kernelFlags = ["-O3", "-Wall", "-Wextra", "-ffp-contract=off"]
var kernelLinkerSettings: [LinkerSetting] = [
    .linkedLibrary("m", .when(platforms: [.linux])),
    .linkedFramework("Accelerate", .when(platforms: [.macOS])),
]
if let openMPFolder {
    kernelFlags += ["-Xclang", "-fopenmp"]
    kernelLinkerSettings += [
        .unsafeFlags(["-L\(openMPFolder)", "-Xlinker", "-rpath", "-Xlinker", openMPFolder]),
        .linkedLibrary("omp"),
    ]
}

let package = Package(
    name: "circadia",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "circadia", targets: ["CircadiaCLI"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        .target(
            name: "CKernels", path: "CKernels",
            publicHeadersPath: "include",
            cSettings: [.headerSearchPath("."), .unsafeFlags(kernelFlags)],
            linkerSettings: kernelLinkerSettings),
        .target(name: "CircadiaKernels", dependencies: ["CKernels"]),
        .target(name: "ReferenceKernels"),
        .target(name: "CircadiaFormats", dependencies: ["CircadiaKernels"]),
        .target(name: "CircadiaTokenizer"),
        .target(
            name: "CircadiaModel",
            dependencies: ["CircadiaKernels", "CircadiaFormats", "CircadiaTokenizer"]),
        .target(
            name: "CircadiaTraining",
            dependencies: [
                "CircadiaModel", "CircadiaKernels", "CircadiaFormats", "CircadiaTokenizer",
            ]),
        .target(
            name: "CircadiaMemory",
            dependencies: [
                "CircadiaModel", "CircadiaKernels", "CircadiaTokenizer",
                .product(name: "GRDB", package: "GRDB.swift"),
            ]),
        .target(
            name: "CircadiaEvaluation",
            dependencies: ["CircadiaModel", "CircadiaMemory", "CircadiaTokenizer"]),
        .target(
            name: "CircadiaSleep",
            dependencies: [
                "CircadiaTraining", "CircadiaMemory", "CircadiaEvaluation", "CircadiaModel",
                .product(name: "Logging", package: "swift-log"),
            ]),
        .executableTarget(
            name: "CircadiaCLI",
            dependencies: [
                "CircadiaKernels", "ReferenceKernels", "CircadiaFormats", "CircadiaTokenizer",
                "CircadiaModel", "CircadiaTraining", "CircadiaMemory", "CircadiaEvaluation",
                "CircadiaSleep",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .target(
            name: "PeakArithmetic", path: "Benchmarks/PeakArithmetic",
            cSettings: [.unsafeFlags(["-O3", "-Wall", "-Wextra"])]),
        .executableTarget(
            name: "KernelBenchmarks",
            dependencies: [
                "CircadiaKernels", "PeakArithmetic",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Benchmarks/Kernels"),
        .target(
            name: "CircadiaTestSupport",
            dependencies: [
                "CircadiaKernels", "ReferenceKernels", "CircadiaFormats", "CircadiaTokenizer",
            ],
            path: "Tests/CircadiaTestSupport"),
        .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),
        .testTarget(
            name: "CircadiaKernelsTests",
            dependencies: ["CircadiaKernels", "ReferenceKernels", "CircadiaTestSupport"]),
        .testTarget(
            name: "CircadiaFormatsTests", dependencies: ["CircadiaFormats", "CircadiaTestSupport"]),
        .testTarget(
            name: "CircadiaTokenizerTests",
            dependencies: ["CircadiaTokenizer", "CircadiaTestSupport"],
            exclude: ["Fixtures", "Tools"]),
        .testTarget(
            name: "CircadiaModelTests",
            dependencies: ["CircadiaModel", "CircadiaTestSupport", "AllocationCounter"],
            exclude: ["Fixtures"]),
        .testTarget(
            name: "CircadiaTrainingTests",
            dependencies: ["CircadiaTraining", "CircadiaTestSupport"],
            exclude: ["Fixtures"]),
        .testTarget(
            name: "CircadiaMemoryTests",
            dependencies: [
                "CircadiaMemory", "CircadiaModel", "CircadiaFormats", "CircadiaTokenizer",
                "CircadiaTestSupport",
            ],
            exclude: ["Fixtures", "Tools"]),
        .testTarget(
            name: "CircadiaEvaluationTests",
            dependencies: [
                "CircadiaEvaluation", "CircadiaMemory", "CircadiaModel", "CircadiaFormats",
                "CircadiaTestSupport",
            ]),
        .testTarget(
            name: "CircadiaSleepTests",
            dependencies: [
                "CircadiaSleep", "CircadiaFormats", "CircadiaMemory", "CircadiaTestSupport",
            ]),
        .testTarget(
            name: "CircadiaCLITests",
            dependencies: ["CircadiaCLI", "CircadiaFormats", "CircadiaTestSupport"],
            exclude: ["Tools"]),
    ],
    swiftLanguageModes: [.v6]
)
