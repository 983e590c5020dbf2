<?php
/**
 * As much of WordPress as the plugin calls, with a site in memory and HTTP for real. What it does not escape, nobody does:
 * wp_kses here takes a list out of everything but the tags and attributes that it is given, as WordPress' does.
 */

define( 'ABSPATH', __DIR__ . '/' );

class WP_Error {}
class WP_Post {
	public $ID = 0;
	public $post_type = 'post';
	public $post_status = 'publish';
	public $post_password = '';
	public $post_title = '';
	public $post_excerpt = '';
	public $post_content = '';
	public $post_author = 1;
	public $post_name = '';
	public $link = '';
	public function __construct( array $fields ) {
		foreach ( $fields as $name => $value ) {
			$this->$name = $value;
		}
	}
}

final class Site {
	public static array $posts = array(), $meta = array(), $options = array(), $transients = array(), $jobs = array(), $hooks = array();
	public static array $requests = array(), $settings = array(), $shortcodes = array(), $blocks = array(), $page = array();
	public static array $answers = array();  // instead of the service's, first to last
	public static bool $may = true, $singular = true;
	public static int $now = 0;

	public static function save( int $id, array $fields ): void {
		self::$posts[ $id ] = new WP_Post( array_merge( isset( self::$posts[ $id ] ) ? (array) self::$posts[ $id ] : array(), $fields, array( 'ID' => $id ) ) );
		do_action( 'wp_after_insert_post', $id, self::$posts[ $id ], true, null );
	}

	/** Run what wp-cron would, however far away; jobs that these make wait for the next call. */
	public static function cron(): array {
		$jobs       = self::$jobs;
		self::$jobs = array();
		foreach ( $jobs as $job ) {
			do_action( $job['hook'], ...$job['args'] );
		}
		return $jobs;
	}
}

function get_option( $name, $default = false ) { return Site::$options[ $name ] ?? $default; }
function add_option( $name, $value, $old = '', $autoload = true ) { Site::$options += array( $name => $value ); }
function update_option( $name, $value, $autoload = null ) { Site::$options[ $name ] = $value; }
function delete_option( $name ) { unset( Site::$options[ $name ] ); }
function get_transient( $name ) { return isset( Site::$transients[ $name ] ) ? unserialize( Site::$transients[ $name ] ) : false; }
function set_transient( $name, $value, $seconds ) { Site::$transients[ $name ] = serialize( $value ); }
function get_post( $post ) { return $post instanceof WP_Post ? $post : ( Site::$posts[ $post ] ?? null ); }
function get_permalink( $post ) { $post = get_post( $post ); return $post->link ?: 'https://paper.example/2025/03/' . $post->post_name . '/'; }
function get_the_ID() { return array_key_first( Site::$posts ); }
function get_the_title( $post ) { return htmlspecialchars( get_post( $post )->post_title, ENT_QUOTES ); }
function get_the_category( $id ) { return array( (object) array( 'name' => 'Politics &amp; power' ), (object) array( 'name' => 'Harbour' ) ); }
function get_the_tags( $id ) { return array( (object) array( 'name' => 'Pier' ) ); }
function get_the_post_thumbnail_url( $post, $size ) { return 'https://paper.example/pier.jpg'; }
function get_post_time( $format, $gmt, $post ) { return '2025-03-14T08:30:00+00:00'; }
function get_post_modified_time( $format, $gmt, $post ) { return '2025-03-15T08:30:00+00:00'; }
function get_the_author_meta( $field, $id ) { return 'Ada Berg'; }
function get_locale() { return 'en_GB'; }
function url_to_postid( $url ) {
	foreach ( Site::$posts as $post ) {
		if ( get_permalink( $post ) === $url ) { return $post->ID; }
	}
	return 0;
}
function get_post_meta( $id, $name, $single ) { return Site::$meta[ $id ][ $name ] ?? ''; }
function update_post_meta( $id, $name, $value ) { Site::$meta[ $id ][ $name ] = stripslashes( $value ); }
function delete_post_meta( $id, $name ) { unset( Site::$meta[ $id ][ $name ] ); }
function delete_post_meta_by_key( $name ) { Site::$meta = array(); }
function wp_slash( $value ) { return addslashes( $value ); }
function wp_is_post_revision( $id ) { return false; }
function wp_is_post_autosave( $id ) { return false; }
function strip_shortcodes( $text ) { return preg_replace( '/\[gallery[^\]]*\]/', '', $text ); }
function wpautop( $text ) { return preg_match( '/<p[ >]/', $text ) ? $text : '<p>' . preg_replace( '/\n\s*\n/', "</p>\n<p>", $text ) . '</p>'; }
function wp_strip_all_tags( $text, $breaks = false ) {
	$text = strip_tags( preg_replace( '@<(script|style)[^>]*?>.*?</\1>@si', '', $text ) );
	return trim( $breaks ? preg_replace( '/[\r\n\t ]+/', ' ', $text ) : $text );
}
function wp_json_encode( $value ) { return json_encode( $value ); }
function wp_parse_url( $url, $part = -1 ) { return parse_url( $url, $part ); }
function esc_html( $text ) { return htmlspecialchars( $text, ENT_QUOTES ); }
function esc_attr( $text ) { return htmlspecialchars( $text, ENT_QUOTES ); }
function esc_url_raw( $url, $schemes ) { return in_array( parse_url( $url, PHP_URL_SCHEME ), $schemes, true ) ? $url : ''; }
function sanitize_key( $text ) { return preg_replace( '/[^a-z0-9_\-]/', '', strtolower( $text ) ); }
function sanitize_text_field( $text ) { return trim( strip_tags( $text ) ); }
function wp_kses( $html, $allowed, $schemes ) {
	return preg_replace_callback(
		'#<(/?)([a-z0-9]+)([^>]*)>#i',
		static function ( $tag ) use ( $allowed, $schemes ) {
			$name = strtolower( $tag[2] );
			if ( ! isset( $allowed[ $name ] ) ) { return ''; }
			preg_match_all( '/\s([a-z-]+)(?:="([^"]*)")?/i', $tag[3], $attributes, PREG_SET_ORDER );
			$kept = '';
			foreach ( $attributes as $each ) {
				$bad   = 'href' === $each[1] && ! in_array( parse_url( html_entity_decode( $each[2] ), PHP_URL_SCHEME ), $schemes, true );
				$kept .= isset( $allowed[ $name ][ $each[1] ] ) && ! $bad ? $each[0] : '';
			}
			return '<' . $tag[1] . $name . $kept . '>';
		},
		$html
	);
}
function is_wp_error( $answer ) { return $answer instanceof WP_Error; }
function wp_remote_request( $url, $given ) {
	Site::$requests[] = array( 'method' => $given['method'], 'url' => $url, 'timeout' => $given['timeout'], 'redirection' => $given['redirection'], 'body' => $given['body'] ?? null, 'headers' => $given['headers'] ?? array() );
	if ( Site::$answers ) {
		$answer = array_shift( Site::$answers );
		return null === $answer ? new WP_Error() : $answer;
	}
	$asked = curl_init( $url );
	$got   = array();
	curl_setopt_array( $asked, array(
		CURLOPT_CUSTOMREQUEST => $given['method'], CURLOPT_RETURNTRANSFER => true, CURLOPT_TIMEOUT_MS => (int) ( 1000 * max( 10, $given['timeout'] ) ), CURLOPT_FOLLOWLOCATION => false,
		CURLOPT_HTTPHEADER => array_map( static fn( $name, $value ) => "$name: $value", array_keys( $given['headers'] ?? array() ), $given['headers'] ?? array() ),
		CURLOPT_HEADERFUNCTION => static function ( $asked, $line ) use ( &$got ) {
			$parts = explode( ':', $line, 2 );
			if ( 2 === count( $parts ) ) { $got[ strtolower( trim( $parts[0] ) ) ] = trim( $parts[1] ); }
			return strlen( $line );
		},
	) );
	if ( isset( $given['body'] ) ) { curl_setopt( $asked, CURLOPT_POSTFIELDS, $given['body'] ); }
	$body = curl_exec( $asked );
	if ( false === $body ) { return new WP_Error(); }
	return array( 'code' => curl_getinfo( $asked, CURLINFO_RESPONSE_CODE ), 'headers' => $got, 'body' => $body );
}
function wp_remote_retrieve_response_code( $answer ) { return $answer['code']; }
function wp_remote_retrieve_headers( $answer ) { return $answer['headers']; }
function wp_remote_retrieve_body( $answer ) { return $answer['body']; }
function wp_next_scheduled( $hook, $args ) {
	foreach ( Site::$jobs as $job ) {
		if ( $job['hook'] === $hook && $job['args'] === $args ) { return $job['at']; }
	}
	return false;
}
function wp_schedule_single_event( $at, $hook, $args ) { Site::$jobs[] = array( 'in' => $at - time(), 'at' => $at, 'hook' => $hook, 'args' => $args ); }
function wp_unschedule_hook( $hook ) { Site::$jobs = array(); }
function add_action( $name, $call, $order = 10, $n = 1 ) { Site::$hooks[ $name ][] = array( $call, $n ); }
function add_filter( $name, $call, $order = 10, $n = 1 ) { add_action( $name, $call, $order, $n ); }
function do_action( $name, ...$given ) { foreach ( Site::$hooks[ $name ] ?? array() as $hook ) { $hook[0]( ...array_slice( $given, 0, $hook[1] ) ); } }
function apply_filters( $name, $value, ...$given ) {
	foreach ( Site::$hooks[ $name ] ?? array() as $hook ) { $value = $hook[0]( $value, ...$given ); }
	return $value;
}
function add_shortcode( $name, $call ) { Site::$shortcodes[ $name ] = $call; }
function shortcode_atts( $defaults, $given, $name ) { return array_merge( $defaults, array_intersect_key( $given, $defaults ) ); }
function register_block_type( $name, $about ) { Site::$blocks[ $name ] = $about; }
function wp_register_script( ...$given ) {}
function wp_add_inline_script( ...$given ) {}
function register_setting( $group, $name, $about ) { Site::$settings[ $name ] = $about; }
function add_options_page( $title, $menu, $capability, $slug, $call ) { Site::$page = array( 'capability' => $capability, 'call' => $call ); }
function current_user_can( $capability ) { return Site::$may && 'manage_options' === $capability; }
function settings_fields( $group ) { echo '<input type="hidden" name="_wpnonce" value="nonce-of-' . esc_attr( $group ) . '-options">'; }
function submit_button() { echo '<input type="submit">'; }
function register_deactivation_hook( $file, $call ) { Site::$hooks['deactivate'][] = array( $call, 0 ); }
function register_uninstall_hook( $file, $call ) { Site::$hooks['uninstall'][] = array( $call, 0 ); }
function is_singular( $types ) { return Site::$singular; }
function in_the_loop() { return true; }
function is_main_query() { return true; }

final class Database {
	public string $posts = 'wp_posts';
	public function prepare( $sql, $given ) { return array( $sql, $given ); }
	public function get_col( $asked ) {
		list( , $given ) = $asked;
		$n     = array_pop( $given );
		$after = array_pop( $given );
		$ids   = array_filter( array_keys( Site::$posts ), static fn( $id ) => $id > $after && 'publish' === Site::$posts[ $id ]->post_status && in_array( Site::$posts[ $id ]->post_type, $given, true ) );
		sort( $ids );
		return array_map( 'strval', array_slice( $ids, 0, $n ) );
	}
}
$wpdb = new Database();
require dirname( __DIR__, 2 ) . '/integrations/wordpress/newsroom-recommender.php';
do_action( 'init' );
do_action( 'admin_init' );
do_action( 'admin_menu' );
